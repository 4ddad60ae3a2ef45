/** The way to the box over its web server: a session by `/api/session`, then the broker's WebSocket. */

export class WebSocketTransport {
  name = 'websocket';
  /** How often a heartbeat goes out, and how long the line may be silent, in milliseconds. */
  heartbeat = 5000;
  silence = 12_000;
  #base;
  #box;
  #isOrigin;

  /**
   * @param base the page's origin, with `ws:` or `wss:`
   * @param box the box's web interface
   * @param isOrigin async () → whether the page's origin is the box at all
   */
  constructor({ base, box, isOrigin }) {
    this.#base = base;
    this.#box = box;
    this.#isOrigin = isOrigin;
  }

  open(membership, handlers) {
    let socket = null;
    let done = false;
    const finish = (code, refusal) => {
      if (done) return;
      done = true;
      handlers.closed(code, refusal);
    };
    const prepare = async () => {
      if (!(await this.#isOrigin())) {
        finish(1006, 'elsewhere');
        return;
      }
      if (!membership.current) {
        const session = await this.#box.session(membership.request());
        // The other way may have been quicker: a page is one person.
        if (!done && !membership.current) membership.accept(session);
      }
      if (!done) handlers.ready();
    };
    prepare().catch((error) => finish(1006, error.code));
    return {
      attach: () => {
        const { id, token } = membership.current;
        const query = new URLSearchParams({ key: 'peerjs', id, token, version: '1.5.5' });
        try {
          socket = new WebSocket(`${this.#base}/peerjs?${query}`);
        } catch {
          finish(1006);
          return;
        }
        socket.onmessage = (event) => {
          if (!done && typeof event.data === 'string') handlers.message(event.data);
        };
        socket.onclose = (event) => finish(event.code);
        socket.onerror = () => finish(1006);
      },
      send: (text) => {
        if (socket?.readyState === WebSocket.OPEN) socket.send(text);
      },
      // A socket on a dead network may take minutes to close by itself: it is let go of at once.
      close: () => {
        done = true;
        socket?.close();
      },
    };
  }
}
