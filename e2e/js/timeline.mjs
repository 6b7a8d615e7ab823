// What the person sees: every event of every room, once it is readable, and
// again when it becomes readable or loses the warning beside it.
import { MatrixEventEvent, RoomEvent, RoomStateEvent } from "matrix-js-sdk";
import { CryptoEvent, EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";

/** Calls tell("timeline"|"member", data) for all that happens in the client's rooms. */
export function watch(client, tell) {
    // One after the other: an event that is quicker to decrypt must not overtake.
    let told = Promise.resolve();
    const report = (event) => {
        const decrypted = client.decryptEventIfNeeded(event);
        told = told.then(async () => {
            await decrypted;
            const shown = await describe(client, event);
            if (shown.encrypted && shown.shield !== "none") warned.add(event);
            else warned.delete(event);
            tell("timeline", shown);
        });
    };
    // A message may be here before the sender's keys are: the warning ends with them.
    const warned = new Set();
    const lookAgain = (user) => {
        for (const event of warned) if (event.getSender() === user) report(event);
    };
    client.on(CryptoEvent.UserTrustStatusChanged, lookAgain);
    client.on(CryptoEvent.DevicesUpdated, (users) => users.forEach(lookAgain));

    const seen = (event) => {
        report(event);
        if (event.isEncrypted()) event.on(MatrixEventEvent.Decrypted, report);
    };

    client.on(RoomEvent.Timeline, (event, _room, toStartOfTimeline) => {
        // Events with a status are this device's own, still on their way.
        if (!toStartOfTimeline && event.status === null) seen(event);
    });
    client.on(RoomEvent.LocalEchoUpdated, (event) => {
        if (event.status === null) report(event);
    });
    client.on(RoomStateEvent.Members, (event, _state, member) => {
        tell("member", {
            room: member.roomId,
            user: member.userId,
            membership: member.membership,
            by: event.getSender(),
            reason: event.getContent().reason ?? "",
        });
    });
}

async function describe(client, event) {
    const encrypted = event.getWireType() === "m.room.encrypted";
    const content = event.getOriginalContent();
    const relation = event.getRelation();
    const shield = encrypted ? await client.getCrypto().getEncryptionInfoForEvent(event) : null;
    return {
        room: event.getRoomId(),
        id: event.getId(),
        sender: event.getSender(),
        type: event.getType(),
        state_key: event.getStateKey() ?? null,
        content: relation ? { ...content, "m.relates_to": relation } : content,
        sent_at: event.getTs(),
        encrypted,
        session: (encrypted && event.getWireContent().session_id) || "",
        failure: event.decryptionFailureReason ?? "",
        shield: shield ? EventShieldColour[shield.shieldColour].toLowerCase() : "",
        shield_reason: EventShieldReason[shield?.shieldReason]?.toLowerCase() ?? "",
    };
}
