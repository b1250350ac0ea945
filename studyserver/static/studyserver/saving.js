// A vote is sent until the server has it; it also outlives a closed page.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends votes to one address; the server answers the same vote twice in the same way. */
export class VoteSender {
  constructor(address, csrf, onTrouble) {
    this.address = address;
    this.csrf = csrf;
    this.onTrouble = onTrouble;
    this.key = `vote ${address}`;
  }

  /** The vote for this trial that an earlier page could not deliver, if there is one. */
  pending(token) {
    const vote = JSON.parse(localStorage.getItem(this.key) ?? "null");
    return vote?.trial === token ? vote : null;
  }

  /** Send a vote and return the server's reply; null when the server refuses it, so that the page must be loaded again. */
  async send(vote) {
    const body = JSON.stringify(vote);
    localStorage.setItem(this.key, body);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await fetch(this.address, {
          method: "POST",
          credentials: "same-origin",
          headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf },
          body,
        });
        if (response.ok) {
          const reply = await response.json();
          localStorage.removeItem(this.key);
          return reply;
        }
        if (response.status < 500 && response.status !== 429) {
          localStorage.removeItem(this.key);
          return null;
        }
      } catch {
        // No connection: the same as an error of the server, try again.
      }
      this.onTrouble();
      await pause(Math.min(500 * 2 ** attempt, 8000));
    }
  }
}
