// The way of to-device messages (room keys above all) to the server, which a
// test can close: to be late is to be released, to be lost is to be dropped.
export class Post {
    #holding = false;
    #held = [];

    /** fetch for the SDK: a held message is acknowledged and kept. */
    fetch = async (url, options) => {
        if (this.#holding && new URL(url).pathname.includes("/sendToDevice/m.room.encrypted/")) {
            const { signal, ...rest } = options; // the SDK may give up on a request, the person does not
            this.#held.push([url, rest]);
            return Response.json({});
        }
        return await fetch(url, options);
    };

    hold() {
        this.#holding = true;
    }

    /** Sends what was held, and returns how many messages it was. */
    async release() {
        this.#holding = false;
        const held = this.#held.splice(0);
        for (const [url, options] of held) {
            const response = await fetch(url, options);
            if (!response.ok) throw new Error(`sending a held key: HTTP ${response.status}`);
        }
        return held.length;
    }

    /** Forgets what was held, and returns how many messages it was. */
    drop() {
        this.#holding = false;
        return this.#held.splice(0).length;
    }
}
