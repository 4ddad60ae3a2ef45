import SansIO

/// What the hub keeps of one client. A class: it is looked up for each frame, and a copy would cost more than the
/// frame.
final class Client {
    /// Whether a client is there.
    enum Presence {
        /// It is connected.
        case present(HubConnection)
        /// Its connection was lost; it is gone unless it is back before the time.
        case absent(until: Timestamp)
    }

    private(set) var id: Int64
    /// How a frame from it begins: `{"t":"from","id":7,"payload":`.
    private(set) var prefix: [UInt8]
    var presence: Presence
    /// Nil when it was refused its room.
    var room: Room?
    /// Whether it numbers and acknowledges what it gets, so that it can come back.
    var isResumable = false
    var kept = KeptMessages()
    /// The number of the first message that was kept after its connection was lost.
    var firstMissed: UInt64 = 0

    /// Since when the transport takes no more, and how much it was sent since.
    var unwritable: (since: Timestamp, byteCount: Int)?
    var frames: TokenBucket
    var bytes: TokenBucket
    /// Pays for frames that the two others refuse.
    var overRate: TokenBucket

    init(id: Int64, connection: HubConnection, limits: Hub.Limits, now: Timestamp) {
        self.id = id
        prefix = Self.prefix(of: id)
        presence = .present(connection)
        frames = TokenBucket(rate: limits.framesPerSecond, burst: limits.frameBurst, now: now)
        bytes = TokenBucket(rate: limits.bytesPerSecond, burst: limits.byteBurst, now: now)
        overRate = TokenBucket(rate: limits.framesPerSecond, burst: limits.framesOverRate, now: now)
    }

    /// Gives the client another id.
    func rename(to id: Int64) {
        self.id = id
        prefix = Self.prefix(of: id)
    }

    private static func prefix(of id: Int64) -> [UInt8] {
        Array(#"{"t":"from","id":\#(id),"payload":"#.utf8)
    }

    var connection: HubConnection? {
        switch presence {
        case .present(let connection): connection
        case .absent: nil
        }
    }
}

/// A room: whoever sent its name in `join`.
final class Room {
    let name: String
    /// In the order of their ids.
    private(set) var members: [Client] = []
    /// The frame `peers`, once somebody has wanted it.
    private var frame: [UInt8]?

    init(name: String) {
        self.name = name
    }

    func insert(_ client: Client) {
        frame = nil
        // Ids count up, so the newest client nearly always comes last.
        var place = members.count
        while place > 0, members[place - 1].id > client.id { place -= 1 }
        members.insert(client, at: place)
    }

    func remove(_ client: Client) {
        frame = nil
        if let place = members.firstIndex(where: { $0 === client }) { members.remove(at: place) }
    }

    /// The frame `peers` as it is now.
    var peers: [UInt8] {
        if let frame { return frame }
        var text = Array(#"{"t":"peers","ids":["#.utf8)
        for (index, member) in members.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(decimal: UInt64(member.id))
        }
        text.append(contentsOf: "]}".utf8)
        frame = text
        return text
    }
}
