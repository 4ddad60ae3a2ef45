import JSON
import SansIO

// What comes from a client, and where it goes.
extension Hub {
    /// The kinds of frames that a client sends.
    private enum FrameType {
        case to, peers, echo, join, ack

        /// Finds the kind a string names.
        init?(_ value: JSONValue, in text: RawSpan) {
            if value.isString("to", in: text) {
                self = .to
            } else if value.isString("peers", in: text) {
                self = .peers
            } else if value.isString("ack", in: text) {
                self = .ack
            } else if value.isString("echo", in: text) {
                self = .echo
            } else if value.isString("join", in: text) {
                self = .join
            } else {
                return nil
            }
        }
    }

    /// The members of a frame that mean something.
    private struct Members {
        var t = JSONOccurrences()
        var id = JSONOccurrences()
        var payload = JSONOccurrences()
        var x = JSONOccurrences()
        var room = JSONOccurrences()
        var resume = JSONOccurrences()
        var last = JSONOccurrences()
        var seq = JSONOccurrences()

        @inline(__always)
        mutating func add(_ member: JSONMember, in frame: RawSpan) {
            let name = member.name
            if name.isString("t", in: frame) {
                t.add(member)
            } else if name.isString("id", in: frame) {
                id.add(member)
            } else if name.isString("payload", in: frame) {
                payload.add(member)
            } else if name.isString("seq", in: frame) {
                seq.add(member)
            } else if name.isString("x", in: frame) {
                x.add(member)
            } else if name.isString("room", in: frame) {
                room.add(member)
            } else if name.isString("resume", in: frame) {
                resume.add(member)
            } else if name.isString("last", in: frame) {
                last.add(member)
            }
        }
    }

    /// A message has come.
    mutating func receive(
        _ frame: RawSpan, from connection: HubConnection, _ now: Timestamp, _ output: inout Output
    ) {
        guard let client = connections[connection],
            isWithinRate(client, frame.byteCount, connection, now, &output)
        else { return }
        guard frame.byteCount <= limits.frameBytes else { return counters.drop(.tooBig) }
        var members = Members()
        let parsed = try? JSONValue.parseObject(frame, maximumDepth: limits.frameDepth) {
            members.add($0, in: frame)
        }
        guard parsed != nil, let t = members.t.last, case .string = t.kind else { return counters.drop(.malformed) }
        guard let type = FrameType(t, in: frame) else { return counters.drop(.unknownType) }
        switch type {
        case .to: forward(members.payload.last, to: members.id.last, frame, from: client, &output)
        case .peers: sendPeers(to: client, connection, now, &output)
        case .echo: echo(members.x.last, frame, to: client, connection, &output)
        case .ack:
            guard let seq = members.seq.last?.integer(in: frame), seq >= 0 else { return counters.drop(.malformed) }
            keptBytes += trim(client) { $0.remove(through: UInt64(seq)) }
        case .join: readJoin(members, frame, from: client, &output)
        }
    }

    /// A binary message has come: dropped like anything malformed.
    mutating func receiveBinary(from connection: HubConnection, _ now: Timestamp, _ output: inout Output) {
        guard let client = connections[connection], isWithinRate(client, 0, connection, now, &output) else { return }
        counters.drop(.malformed)
    }

    /// Whether a client may send as much; one that goes on sending far more is closed.
    private mutating func isWithinRate(
        _ client: Client, _ byteCount: Int, _ connection: HubConnection, _ now: Timestamp, _ output: inout Output
    ) -> Bool {
        counters.framesReceived &+= 1
        if client.frames.take(at: now), client.bytes.take(Double(byteCount), at: now) { return true }
        counters.drop(.rate)
        if !client.overRate.take(at: now) { close(connection, .flood, now, &output) }
        return false
    }

    private mutating func readJoin(
        _ members: Members, _ frame: RawSpan, from client: Client, _ output: inout Output
    ) {
        guard let name = members.room.last?.string(in: frame), name.utf8.count <= limits.roomBytes else {
            return counters.drop(.malformed)
        }
        let resume = members.resume.last
        guard resume == nil || resume?.kind == .null || resume?.string(in: frame) != nil else {
            return counters.drop(.malformed)
        }
        let last = members.last.last?.integer(in: frame).flatMap { UInt64(exactly: $0) }
        join(client, room: name, resume: resume?.string(in: frame), last: last, &output)
    }

    private mutating func sendPeers(
        to client: Client, _ connection: HubConnection, _ now: Timestamp, _ output: inout Output
    ) {
        let start = output.bytes.count
        if let room = client.room {
            let peers = room.peers
            // A short question with a long answer is paid for by its answer.
            guard client.bytes.take(Double(peers.count), at: now) else { return counters.drop(.rate) }
            output.bytes.append(contentsOf: peers)
        } else {
            output.write(#"{"t":"peers","ids":["#)
            output.write(UInt64(client.id))
            output.write("]}")
        }
        send(start, to: client, connection, &output)
    }

    private mutating func echo(
        _ x: JSONValue?, _ frame: RawSpan, to client: Client, _ connection: HubConnection, _ output: inout Output
    ) {
        let start = output.bytes.count
        output.write(#"{"t":"echo","x":"#)
        if let x { output.write(frame.extracting(x.range)) } else { output.write("null") }
        output.write("}")
        send(start, to: client, connection, &output)
    }

    /// Passes a payload on, byte for byte.
    private mutating func forward(
        _ payload: JSONValue?, to destination: JSONValue?, _ frame: RawSpan, from client: Client,
        _ output: inout Output
    ) {
        guard let destination, let id = destination.integer(in: frame) else { return counters.drop(.malformed) }
        guard let peer = clients[id], let room = client.room, peer.room === room else {
            return counters.drop(.absent)
        }
        let start = output.bytes.count
        output.bytes.append(contentsOf: client.prefix)
        if let payload { output.write(frame.extracting(payload.range)) } else { output.write("null") }
        if peer.isResumable {
            output.write(#","seq":"#)
            output.write(peer.kept.next)
        }
        output.bytes.append(UInt8(ascii: "}"))
        switch peer.presence {
        case .present(let connection):
            guard send(start, to: peer, connection, &output) else { return }
            if peer.isResumable { keepSent(start..<output.bytes.count, of: peer, output) }
        case .absent:
            guard keepMissed(start..<output.bytes.count, for: peer, &output) else { return }
        }
        counters.framesRouted &+= 1
        counters.bytesRouted &+= UInt64(frame.byteCount)
    }

    /// Sends what was written from `start` on, unless it is too long or the client does not read.
    @discardableResult
    private mutating func send(
        _ start: Int, to client: Client, _ connection: HubConnection, _ output: inout Output
    ) -> Bool {
        let count = output.bytes.count - start
        guard count <= limits.frameBytes else {
            counters.drop(.tooBig)
            output.bytes.removeLast(count)
            return false
        }
        if let unwritable = client.unwritable {
            guard unwritable.byteCount + count <= limits.slowReaderBytes else {
                counters.drop(.slowReader)
                output.bytes.removeLast(count)
                return false
            }
            client.unwritable = (unwritable.since, unwritable.byteCount + count)
        }
        output.actions.append(.send(connection, start..<output.bytes.count))
        return true
    }

    // MARK: Messages that may have to be sent again

    /// Keeps a message that was sent until it is acknowledged: the oldest ones make room for it.
    private mutating func keepSent(_ range: Range<Int>, of client: Client, _ output: borrowing Output) {
        guard range.count <= limits.keptBytes else {
            keptBytes += trim(client) { $0.skip() }
            return
        }
        keptBytes += trim(client) { kept in
            while kept.count >= limits.keptMessages || kept.byteCount + range.count > limits.keptBytes {
                kept.removeFirst()
            }
        }
        guard keptBytes + range.count <= limits.keptTotalBytes else {
            keptBytes += trim(client) { $0.skip() }
            return
        }
        client.kept.append(output.bytes[range])
        keptBytes += range.count
    }

    /// Keeps a message for a client that dropped; what was kept before goes first.
    private mutating func keepMissed(_ range: Range<Int>, for client: Client, _ output: inout Output) -> Bool {
        defer { output.bytes.removeLast(range.count) }
        guard client.kept.count < limits.keptMessages, range.count <= limits.frameBytes,
            client.kept.byteCount + range.count <= limits.keptBytes,
            keptBytes + range.count <= limits.keptTotalBytes
        else {
            counters.drop(.keptFull)
            return false
        }
        client.kept.append(output.bytes[range])
        keptBytes += range.count
        counters.framesKept &+= 1
        return true
    }
}
