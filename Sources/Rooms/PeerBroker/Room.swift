import JSON
import SansIO
import Wire

/// The members of the room, and who has been told what of them.
struct Room: Sendable {
    /// A member, connected or away.
    struct Member: Sendable {
        /// Whether a member is there.
        enum Presence: Sendable {
            /// It is connected.
            case present(ConnectionID)
            /// Its connection was lost; it is gone unless it is back before the time.
            case away(until: Timestamp)
        }

        let id: String
        /// The order in which members came.
        let number: UInt64
        var presence: Presence
        var address: IPAddress
        var name = ""
        var camera = false
        var microphone = false
        var links = PeerBroker.Links()
        /// The latest roster it was sent.
        var seen: UInt64 = 0

        var isAway: Bool {
            switch presence {
            case .present: false
            case .away: true
            }
        }
    }

    private(set) var members: [String: Member] = [:]
    private var lastNumber: UInt64 = 0
    /// Counts the changes of what the roster says.
    private(set) var revision: UInt64 = 0
    /// Counts the changes of what members say of their links.
    private(set) var linkRevision: UInt64 = 0
    /// The array `people` of the roster at `revision`, once somebody has wanted it.
    private var people: [UInt8]?
    /// When the next roster goes out to everyone, if there is news.
    private(set) var nextPush: Timestamp?
    private var lastPush: Timestamp?

    /// The members in the order in which they came.
    var inOrder: [Member] { members.values.sorted { $0.number < $1.number } }

    /// Puts a member on a connection: a new one, or one that is known.
    mutating func attach(_ id: String, to connection: ConnectionID, address: IPAddress) -> (isNew: Bool, changed: Bool)
    {
        if let wasAway = members[id]?.isAway {
            members[id]?.presence = .present(connection)
            members[id]?.address = address
            return (false, wasAway)
        }
        lastNumber += 1
        members[id] = Member(id: id, number: lastNumber, presence: .present(connection), address: address)
        return (true, true)
    }

    /// Notes that a member's connection is lost.
    mutating func setAway(_ id: String, until deadline: Timestamp) { members[id]?.presence = .away(until: deadline) }

    /// Takes a member out; false if there was none of that id.
    mutating func remove(_ id: String) -> Bool { members.removeValue(forKey: id) != nil }

    /// Takes out those who have been away too long, and returns their ids.
    mutating func removeAway(at now: Timestamp) -> [String] {
        let gone = inOrder.filter { member in
            switch member.presence {
            case .present: false
            case .away(let deadline): deadline <= now
            }
        }
        for member in gone { members[member.id] = nil }
        return gone.map(\.id)
    }

    /// Changes what is known of a member by `change`, which says whether the roster has news by that.
    mutating func update(_ id: String, _ change: (inout Member) -> Bool) -> Bool {
        guard var member = members[id] else { return false }
        let (isNews, links) = (change(&member), members[id]?.links)
        if member.links != links { linkRevision += 1 }
        members[id] = member
        return isNews
    }

    /// Notes that the roster has news, and returns when it goes out.
    mutating func changed(at now: Timestamp, interval: Duration) -> Timestamp {
        revision += 1
        people = nil
        let push = nextPush ?? lastPush.map { max(now, $0 + interval) } ?? now
        nextPush = push
        return push
    }

    /// The present members who have not seen the latest roster, if it is to go out now.
    mutating func takePush(at now: Timestamp) -> [(id: String, connection: ConnectionID)] {
        guard let nextPush, nextPush <= now else { return [] }
        self.nextPush = nil
        lastPush = now
        return inOrder.compactMap { member in
            guard member.seen != revision else { return nil }
            switch member.presence {
            case .present(let connection): return (member.id, connection)
            case .away: return nil
            }
        }
    }

    /// Writes the roster for one member and notes that it has it.
    mutating func writeRoster(for id: String, generation: UInt32, into writer: inout JSONWriter) {
        members[id]?.seen = revision
        let people = encodedPeople()
        writer.object { message in
            message.member("type", "ROOM")
            message.member("payload") {
                $0.object { payload in
                    payload.member("generation", generation)
                    payload.member("you", id)
                    payload.member("people") { $0.raw(people.span.bytes) }
                }
            }
        }
    }

    private mutating func encodedPeople() -> [UInt8] {
        if let people { return people }
        var writer = JSONWriter()
        writer.array { array in
            for member in inOrder {
                array.object { person in
                    person.member("id", member.id)
                    person.member("name", member.name)
                    person.member("camera", member.camera)
                    person.member("microphone", member.microphone)
                    person.member("away", member.isAway)
                }
            }
        }
        people = writer.bytes
        return writer.bytes
    }

    /// When `removeAway` or `takePush` has something to do next, after what there is to do now.
    func nextDeadline(after now: Timestamp) -> Timestamp? {
        let returns = members.values.lazy.compactMap { member -> Timestamp? in
            switch member.presence {
            case .present: nil
            case .away(let deadline): deadline
            }
        }
        return [returns.min(), nextPush].compactMap(\.self).filter { $0 > now }.min()
    }

    /// A member's name as others may see it: without characters that can't be seen or that turn the text around
    /// them, without white space at its ends, and cut to `limit` bytes at the end of a character.
    static func displayName(_ text: String, limit: Int) -> String {
        // Nothing beyond this can matter, and a name may be as long as a message.
        let scalars = text.unicodeScalars.prefix(limit * 4).filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
            // U+200C and U+200D join letters and emoji; the other format characters only deceive.
            case .format: scalar.value == 0x200C || scalar.value == 0x200D
            default: true
            }
        }
        var name = String(String.UnicodeScalarView(scalars))[...]
        while let first = name.first, first.isWhitespace { name.removeFirst() }
        var result = ""
        var byteCount = 0
        for character in name {
            byteCount += character.utf8.count
            if byteCount > limit { break }
            result.append(character)
        }
        while let last = result.last, last.isWhitespace { result.removeLast() }
        return result
    }
}
