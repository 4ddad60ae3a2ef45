import JSON
import SansIO

// What members hear of each other.
extension PeerBroker {
    /// Takes what a member says of itself. What it leaves out, or says in another form, stays as it was.
    mutating func setPresence(of id: String, _ payload: JSONValue, in frame: RawSpan, _ now: Timestamp) {
        let limit = limits.nameBytes
        let isNews = room.update(id) { member in
            let before = (member.name, member.camera, member.microphone)
            if let name = payload.member("name", in: frame)?.string(in: frame) {
                member.name = Room.displayName(name, limit: limit)
            }
            member.camera = payload.member("camera", in: frame)?.bool ?? member.camera
            member.microphone = payload.member("microphone", in: frame)?.bool ?? member.microphone
            if let links = payload.member("links", in: frame) {
                func count(_ name: StaticString) -> Int {
                    // No page has more links than there are connections; a larger number is nonsense.
                    Int(min(max(links.member(name, in: frame)?.integer(in: frame) ?? 0, 0), 9999))
                }
                member.links = Links(total: count("total"), healthy: count("healthy"), relayed: count("relayed"))
            }
            return before != (member.name, member.camera, member.microphone)
        }
        if isNews { rosterChanged(now) }
    }

    /// The roster has news: it goes to everyone, soon.
    mutating func rosterChanged(_ now: Timestamp) {
        let push = room.changed(at: now, interval: limits.rosterInterval)
        // One that is due now goes out at the end of this call.
        if push > now { schedule(push) }
    }

    /// Sends a member the roster.
    mutating func sendRoster(
        to id: String, on connection: ConnectionID, _ now: Timestamp, _ output: inout Output
    ) {
        let start = output.writer.bytes.count
        room.writeRoster(for: id, generation: generation, into: &output.writer)
        _ = send(start..<output.writer.bytes.count, to: connection, now, &output)
    }
}
