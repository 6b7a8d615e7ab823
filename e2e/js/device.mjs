// A device of a person: each method is one thing that the person does with
// their client, as Element would do it.
import { LocalTrust, DeviceId, UserId } from "@matrix-org/matrix-sdk-crypto-wasm";
import { ClientEvent, Method, SyncState, createClient } from "matrix-js-sdk";
import {
    AllDevicesIsolationMode,
    OnlySignedDevicesIsolationMode,
    VerificationPhase,
    VerificationRequestEvent,
} from "matrix-js-sdk/lib/crypto-api/index.js";

import { Post } from "./post.mjs";
import { watch } from "./timeline.mjs";

const megolm = "m.megolm.v1.aes-sha2";

export class Device {
    #tell;
    #client;
    #crypto;
    #password;
    #post = new Post();

    /** tell(event, data) is called for what nobody asked for. */
    constructor(tell) {
        this.#tell = tell;
    }

    /**
     * Logs in as a new device, sets up encryption in memory and returns when
     * the first sync is done. With signed_only the client trusts nobody's
     * unsigned devices; with cross_sign it makes cross-signing keys and signs
     * itself (false for the second device of a person, see signOwnDevice).
     */
    async login({ homeserver, user, password, name, signed_only, cross_sign }) {
        const { user_id, device_id, access_token } = await createClient({ baseUrl: homeserver }).loginRequest({
            type: "m.login.password",
            identifier: { type: "m.id.user", user },
            password,
            initial_device_display_name: name,
        });
        this.#password = password;
        this.#client = createClient({
            baseUrl: homeserver,
            userId: user_id,
            deviceId: device_id,
            accessToken: access_token,
            fetchFn: this.#post.fetch,
        });
        await this.#client.initRustCrypto({ useIndexedDB: false });
        this.#crypto = this.#client.getCrypto();
        this.#crypto.setDeviceIsolationMode(
            signed_only ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false),
        );
        if (cross_sign) await this.#crossSign(false);

        watch(this.#client, this.#tell);
        const synced = this.#until(ClientEvent.Sync, () => this.#client.getSyncState() === SyncState.Prepared);
        // A gap in a timeline would hide messages: ask for the most that the server gives.
        await this.#client.startClient({ initialSyncLimit: 100 });
        await synced;
        await this.#keysUploaded();
        const { ed25519 } = await this.#crypto.getOwnDeviceKeys();
        return { user: user_id, device: device_id, fingerprint: ed25519, crypto: this.#crypto.getVersion() };
    }

    /**
     * The homeserver shows a new device before it has stored its one-time keys;
     * what others share in this moment does not reach it.
     */
    async #keysUploaded() {
        for (let tries = 0; tries < 200; tries++) {
            const { one_time_key_counts } = await this.#client.http.authedRequest(Method.Post, "/keys/upload", undefined, {});
            if (one_time_key_counts.signed_curve25519 > 0) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error("the device's one-time keys are not uploaded");
    }

    /** Ends the session: the server forgets this device. */
    async logout() {
        await this.#client.logout(true);
    }

    /** Opens a direct chat, encrypted from its first event on unless told otherwise. */
    async createDM({ user, encrypted }) {
        const { room_id } = await this.#client.createRoom({
            preset: "trusted_private_chat",
            visibility: "private",
            is_direct: true,
            invite: [user],
            initial_state: [
                { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
                ...(encrypted ? [encryption()] : []),
            ],
        });
        const direct = this.#client.getAccountData("m.direct")?.getContent() ?? {};
        await this.#client.setAccountData("m.direct", { ...direct, [user]: [...(direct[user] ?? []), room_id] });
        return this.#ready(room_id, encrypted);
    }

    /** Makes a group room. */
    async createRoom({ name, invite, encrypted }) {
        const { room_id } = await this.#client.createRoom({
            preset: "private_chat",
            visibility: "private",
            name,
            invite,
            initial_state: encrypted ? [encryption()] : [],
        });
        return this.#ready(room_id, encrypted);
    }

    async join({ room }) {
        await this.#client.joinRoom(room);
        const state = await this.#client.roomState(room);
        return this.#ready(room, state.some((event) => event.type === "m.room.encryption"));
    }

    async leave({ room }) {
        await this.#client.leave(room);
    }

    async invite({ room, user }) {
        await this.#client.invite(room, user);
    }

    async kick({ room, user, reason }) {
        await this.#client.kick(room, user, reason);
    }

    /** Says who is in a room, as the server knows it: {user id: membership}. */
    async members({ room }) {
        const { chunk } = await this.#client.members(room);
        return Object.fromEntries(chunk.map((event) => [event.state_key, event.content.membership]));
    }

    /** Sends an event, encrypted if the room is, and returns its id. */
    async send({ room, type, content }) {
        const { event_id } = await this.#client.sendEvent(room, type, content);
        return event_id;
    }

    /** Turns encryption on in a room, with the wanted number of messages for each session. */
    async encrypt({ room, rotate_after }) {
        const { type, content } = encryption(rotate_after);
        await this.#client.sendStateEvent(room, type, content, "");
        await this.#ready(room, true);
    }

    /** Throws the room's outgoing session away: the next message uses a new one. */
    async rotate({ room }) {
        await this.#crypto.forceDiscardSession(room);
    }

    /** Says what the client knows about a person and their devices. */
    async identity({ user }) {
        await this.#crypto.userHasCrossSigningKeys(user, true);
        const [devices, status, keys] = await Promise.all([
            this.#crypto.getUserDeviceInfo([user], true),
            this.#crypto.getUserVerificationStatus(user),
            this.#crypto.getUserCrossSigningKeys(user),
        ]);
        const describe = async (device) => {
            const trust = await this.#crypto.getDeviceVerificationStatus(user, device.deviceId);
            return {
                id: device.deviceId,
                name: device.displayName ?? "",
                fingerprint: device.getFingerprint(),
                signed_by_owner: trust?.signedByOwner ?? false,
            };
        };
        return {
            master_key: keys?.master_key ? Object.values(keys.master_key.keys)[0] : "",
            needs_approval: status.needsUserApproval,
            devices: await Promise.all([...(devices.get(user)?.values() ?? [])].map(describe)),
        };
    }

    /** Signs another device of this person, as if its emoji had been compared. */
    async signOwnDevice({ device }) {
        const own = this.#client.getSafeUserId();
        await this.#crypto.getUserDeviceInfo([own], true);
        await this.#crypto.crossSignDevice(device);
    }

    /** Blocks a device: it gets no keys of messages sent from now on. */
    async block({ user, device }) {
        await this.#crypto.getUserDeviceInfo([user], true);
        // The Rust crypto can, the SDK offers no way to say it.
        const other = await this.#crypto.olmMachine.getDevice(new UserId(user), new DeviceId(device));
        if (!other) throw new Error(`${user} has no device ${device}`);
        await other.setLocalTrust(LocalTrust.BlackListed);
    }

    /** Replaces this person's cross-signing keys by new ones. */
    async resetIdentity() {
        await this.#crossSign(true);
    }

    /**
     * Takes one-time keys of all of a person's devices, as if so many new
     * devices wanted to talk to them. Returns how many were there, and how
     * often the fallback key came instead.
     */
    async claimKeys({ user, times }) {
        const { device_keys } = await this.#client.downloadKeysForUsers([user]);
        const wanted = Object.fromEntries(Object.keys(device_keys[user] ?? {}).map((id) => [id, "signed_curve25519"]));
        const taken = { one_time: 0, fallback: 0 };
        for (let i = 0; i < times; i++) {
            const { one_time_keys } = await this.#client.http.authedRequest(Method.Post, "/keys/claim", undefined, {
                one_time_keys: { [user]: wanted },
            });
            for (const keys of Object.values(one_time_keys[user] ?? {})) {
                for (const key of Object.values(keys)) taken[key.fallback ? "fallback" : "one_time"]++;
            }
        }
        return taken;
    }

    /** Asks a person to compare emoji; what becomes of it is told as "verification". */
    async requestVerification({ user, room }) {
        await this.#crypto.userHasCrossSigningKeys(user, true);
        const request = await this.#crypto.requestVerificationDM(user, room);
        const tell = () =>
            this.#tell("verification", {
                room,
                user,
                phase: VerificationPhase[request.phase].toLowerCase(),
                code: request.cancellationCode ?? "",
                cancelled_by: request.cancellingUserId ?? "",
            });
        request.on(VerificationRequestEvent.Change, tell);
        tell();
    }

    /** Keeps back the keys that this device sends to others, until releaseKeys or dropKeys. */
    async holdKeys() {
        this.#post.hold();
    }

    async releaseKeys() {
        return await this.#post.release();
    }

    async dropKeys() {
        return this.#post.drop();
    }

    async #crossSign(anew) {
        await this.#crypto.bootstrapCrossSigning({
            setupNewCrossSigning: anew,
            authUploadDeviceSigningKeys: async (request) => {
                try {
                    return await request(null);
                } catch (err) {
                    if (!err.data?.session) throw err;
                    return await request({
                        type: "m.login.password",
                        identifier: { type: "m.id.user", user: this.#client.getSafeUserId() },
                        password: this.#password,
                        session: err.data.session,
                    });
                }
            },
        });
    }

    /**
     * Waits until the client knows the room: what is sent before that would
     * go out in plain text.
     */
    async #ready(room, encrypted) {
        const known = async () => {
            if (this.#client.getRoom(room)?.getMyMembership() !== "join") return false;
            return !encrypted || (await this.#crypto.isEncryptionEnabledInRoom(room));
        };
        await this.#until(ClientEvent.Sync, known);
        return room;
    }

    /** Resolves when the condition holds; looks again at each such event of the client. */
    #until(event, condition) {
        return new Promise((resolve, reject) => {
            const look = async () => {
                try {
                    if (!(await condition())) return;
                    this.#client.off(event, look);
                    resolve();
                } catch (err) {
                    this.#client.off(event, look);
                    reject(err);
                }
            };
            this.#client.on(event, look);
            void look();
        });
    }
}

function encryption(rotateAfter) {
    const content = { algorithm: megolm, ...(rotateAfter ? { rotation_period_msgs: rotateAfter } : {}) };
    return { type: "m.room.encryption", state_key: "", content };
}
