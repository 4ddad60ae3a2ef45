public import Credentials
public import SansIO

/// The LAN hub: ids, rooms, and messages from one client to another in the same room, as the hub of kibitz-offline
/// v0.2 speaks them, with limits, and with ids that outlive a connection.
///
/// A core: what comes in are the messages of data channels labelled `hub`, what goes out are messages and closes.
/// Frames are JSON objects; `t` names their kind:
///
/// - `id` (from the hub, first of all): `{"t":"id","id":7,"resume":"<token>"}`.
/// - `join`: `{"t":"join","room":"…"}` scopes `peers` and `to`; without it a client is in the room `""`.
/// - `peers`, answered by `{"t":"peers","ids":[…]}`: the same room only, the asker included.
/// - `to`: `{"t":"to","id":9,"payload":…}`; that client gets `{"t":"from","id":7,"payload":…}`, the payload byte for
///   byte. To nobody in the same room: nothing.
/// - `echo`: `{"t":"echo","x":…}`, answered by the same.
///
/// What else there is concerns only clients that ask for it, and nothing is asked of others:
///
/// - `join` with `"resume":"<token>"` (its own, or one of an earlier connection) and, when it comes back, `"last":n`,
///   the number of the last message it has. It gets its former id, even after a restart of the box:
///   `{"t":"id","id":7,"resume":"<token>","next":n}`, then what it has missed. Each `from` carries `"seq"`, counted
///   from `next` on; another `next` than `last + 1` tells that messages may be lost.
/// - `ack`: `{"t":"ack","seq":n}`; messages up to it need not be kept.
/// - `refused` and `closed` (from the hub): `reason` and `message` in words.
public struct Hub {
    let tokens: HubTokens
    let limits: Limits
    /// Connections with a client.
    var connections: [HubConnection: Client] = [:]
    /// Every client by its id, those absent included.
    var clients: [Int64: Client] = [:]
    var rooms: [String: Room] = [:]
    /// Where everyone begins; it is there without members too.
    let lobby = Room(name: "")
    /// Secrets of former generations, the oldest first.
    var retired: [String] { didSet { retiredNames = Self.names(of: retired) } }
    /// The names that they give to rooms.
    private(set) var retiredNames: Set<String>
    /// The last id given out, and the last that may be given out before more are persisted.
    var lastID: Int64
    var reservedIDs: Int64
    var absentCount = 0
    var keptBytes = 0
    var wake: Timestamp?
    /// Counts since the start.
    public internal(set) var counters = Counters()

    /// Makes a hub with nobody in it.
    /// - Parameters:
    ///   - ids: those that may be given out: above every one of earlier runs, as far as was persisted.
    ///   - retired: the room's former secrets, the oldest first.
    ///   - tokens: the box's issuer of resume tokens.
    ///   - limits: what clients can make grow at most.
    public init(ids: ClosedRange<Int64>, retired: [String], tokens: HubTokens, limits: Limits = Limits()) {
        self.tokens = tokens
        self.limits = limits
        self.retired = retired.suffix(limits.retired)
        retiredNames = Self.names(of: self.retired)
        lastID = max(ids.lowerBound, 1) - 1
        reservedIDs = ids.upperBound
    }

    private static func names(of secrets: [String]) -> Set<String> {
        Set(secrets).union(secrets.map(RoomName.asPageSays))
    }

    /// Takes one input.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: when.
    ///   - output: what to do about it is appended to it.
    /// - Returns: when the hub wants `.wake`; it replaces every earlier answer.
    public mutating func handle(
        _ input: borrowing HubInput, at now: Timestamp, into output: inout Output
    ) -> Timestamp? {
        switch input {
        case .frame(let connection, let frame): receive(frame, from: connection, now, &output)
        case .binary(let connection): receiveBinary(from: connection, now, &output)
        case .opened(let connection): open(connection, now, &output)
        case .closed(let connection): drop(connection, now, &output)
        case .writable(let connection, let isWritable): setWritable(isWritable, connection, now)
        case .sendRefused(let connection): noteLoss(on: connection, now, &output)
        case .rotated(let secret): retire(secret, &output)
        case .wake: break
        }
        if let wake, wake <= now { expire(now, &output) }
        return wake
    }

    /// Asks to be called at `time` at the latest.
    mutating func schedule(_ time: Timestamp) {
        wake = wake.map { min($0, time) } ?? time
    }

    /// Does everything whose time has come, and finds when there is something to do next.
    private mutating func expire(_ now: Timestamp, _ output: inout Output) {
        wake = nil
        var gone: [Client] = []
        for client in clients.values {
            let deadline: Timestamp
            switch client.presence {
            case .absent(let until): deadline = until
            case .present:
                guard let unwritable = client.unwritable else { continue }
                deadline = unwritable.since + limits.slowReaderTime
            }
            if deadline <= now { gone.append(client) } else { schedule(deadline) }
        }
        // In the order of their ids, so that the same inputs always give the same outputs.
        for client in gone.sorted(by: { $0.id < $1.id }) {
            switch client.presence {
            case .absent:
                absentCount -= 1
                remove(client)
                output.events.append(.left(id: client.id))
            case .present(let connection):
                close(connection, .slowReader, now, &output)
            }
        }
    }
}
