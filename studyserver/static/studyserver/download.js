// Whole files in memory before anything plays: a file that is still loading would stall.

const AT_ONCE = 2;
const ATTEMPTS = 5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fetches addresses as object URLs, two at a time, each once, in the order in which they were asked for. */
export class Downloads {
  #files = new Map();
  #waiting = [];
  #active = 0;

  /** Begin to fetch an address if that has not begun; resolves to {url, loadMs}, rejects after five attempts. */
  get(address) {
    if (!this.#files.has(address)) {
      const file = { received: 0, size: 0 };
      file.ready = new Promise((resolve, reject) => this.#waiting.push({ address, file, resolve, reject }));
      file.ready.then((done) => (file.url = done.url)).catch(() => this.#files.delete(address));
      this.#files.set(address, file);
      this.#next();
    }
    return this.#files.get(address).ready;
  }

  /** Share of the bytes of these addresses that have arrived, 0 to 1. */
  progress(addresses) {
    const shares = addresses.map((address) => {
      const file = this.#files.get(address);
      return file?.url ? 1 : file?.size ? file.received / file.size : 0;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  /** Free the memory of all files except those of the given addresses. */
  keepOnly(addresses) {
    for (const [address, file] of this.#files) {
      if (file.url && !addresses.includes(address)) {
        URL.revokeObjectURL(file.url);
        this.#files.delete(address);
      }
    }
  }

  async #next() {
    if (this.#active >= AT_ONCE || this.#waiting.length === 0) return;
    const { address, file, resolve, reject } = this.#waiting.shift();
    this.#active += 1;
    try {
      resolve(await this.#fetch(address, file));
    } catch (error) {
      reject(error);
    } finally {
      this.#active -= 1;
      this.#next();
    }
  }

  async #fetch(address, file) {
    const begun = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const blob = await this.#read(address, file);
        return { url: URL.createObjectURL(blob), loadMs: Math.round(performance.now() - begun) };
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        await pause(400 * 2 ** attempt);
      }
    }
  }

  async #read(address, file) {
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    file.size = Number(response.headers.get("Content-Length"));
    file.received = 0;
    const parts = [];
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      file.received += value.length;
    }
    if (file.size && file.received !== file.size) throw new Error("the connection broke off");
    return new Blob(parts, { type: response.headers.get("Content-Type") });
  }
}
