// An answer is sent until the server has it; it also outlives a closed page.

const PATIENCE_MS = 20_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends a page's answers; the server answers the same one twice in the same way. */
export class Sender {
  constructor(csrf, onTrouble) {
    this.csrf = csrf;
    this.onTrouble = onTrouble;
  }

  /** Send fields as JSON until the server has taken them. Returns its reply; null when it refuses them. */
  async post(address, fields) {
    const body = JSON.stringify(fields);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await fetch(address, {
          method: "POST",
          credentials: "same-origin",
          // The request goes on when the page is closed.
          keepalive: true,
          signal: AbortSignal.timeout(PATIENCE_MS),
          headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf },
          body,
        });
        if (response.ok) return await response.json();
        if (response.status < 500 && response.status !== 429) return null;
      } catch {
        // No connection: the same as an error of the server, try again.
      }
      this.onTrouble();
      await pause(Math.min(500 * 2 ** attempt, 8000));
    }
  }

  /** The vote for this trial that an earlier page could not deliver, if there is one. */
  pending(address, token) {
    const vote = JSON.parse(stored(() => localStorage.getItem(key(address))) ?? "null");
    return vote?.trial === token ? vote : null;
  }

  /** As `post`; the vote is kept in the browser until the server has answered. */
  async vote(address, vote) {
    stored(() => localStorage.setItem(key(address), JSON.stringify(vote)));
    const reply = await this.post(address, vote);
    stored(() => localStorage.removeItem(key(address)));
    return reply;
  }
}

const key = (address) => `vote ${address}`;

/** A browser may refuse to store anything; the vote is then sent without a copy. */
function stored(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
