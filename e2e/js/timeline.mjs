// What the person sees: every event of every room, once it is readable, and
// again when it changes from unreadable to readable.
import { MatrixEventEvent, RoomEvent, RoomStateEvent } from "matrix-js-sdk";
import { EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";

/** Calls tell("timeline"|"member", data) for all that happens in the client's rooms. */
export function watch(client, tell) {
    let told = Promise.resolve(); // one after the other, so that the order stays
    const report = (event) => {
        told = told.then(async () => tell("timeline", await describe(client, event)));
    };

    const seen = (event) => {
        if (event.isEncrypted()) {
            event.on(MatrixEventEvent.Decrypted, report);
            // The SDK tries by itself; its first attempt may be over already.
            if (event.isBeingDecrypted() || event.shouldAttemptDecryption()) return;
        }
        report(event);
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
