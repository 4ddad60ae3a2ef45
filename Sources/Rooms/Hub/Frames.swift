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
        case .to: forward(members.payload.last, to: members.id.last, frame, from: client, now, &output)
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
        _ payload: JSONValue?, to destination: JSONValue?, _ frame: RawSpan, from client: Client, _ now: Timestamp,
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
        let range = start..<output.bytes.count
        guard range.count <= limits.frameBytes else {
            counters.drop(.tooBig)
            return output.bytes.removeLast(range.count)
        }
        switch peer.presence {
        case .present(let connection) where peer.isResumable:
            if hasRoom(for: range.count, to: peer) {
                output.actions.append(.send(connection, range))
            } else {
                // Dropped, it would be missing between others: whoever can come back does so, and gets it then.
                counters.drop(.slowReader)
                close(connection, .slowReader, now, &output)
            }
            // Now, not before: a page that was loaded anew wants what comes from here on.
            keep(range, of: peer, output)
        case .present(let connection):
            guard send(start, to: peer, connection, &output) else { return }
        case .absent:
            keep(range, of: peer, output)
            output.bytes.removeLast(range.count)
            counters.framesKept &+= 1
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
        guard hasRoom(for: count, to: client) else {
            counters.drop(.slowReader)
            output.bytes.removeLast(count)
            return false
        }
        output.actions.append(.send(connection, start..<output.bytes.count))
        return true
    }

    /// Whether a client may be sent so much more; it is counted against one that does not read.
    private func hasRoom(for count: Int, to client: Client) -> Bool {
        guard let unwritable = client.unwritable else { return true }
        guard unwritable.byteCount + count <= limits.slowReaderBytes else { return false }
        client.unwritable = (unwritable.since, unwritable.byteCount + count)
        return true
    }

    // MARK: Messages that may have to be sent again

    /// Keeps a message until it is acknowledged. The oldest ones make room for it, so that one who comes back sees by
    /// `next` that some are missing.
    private mutating func keep(_ range: Range<Int>, of client: Client, _ output: borrowing Output) {
        guard range.count <= min(limits.keptBytes, limits.keptTotalBytes) else {
            letGo(of: client) { $0.skip() }
            return
        }
        let limits = limits
        letGo(of: client) { kept in
            while kept.count >= limits.keptMessages || kept.byteCount + range.count > limits.keptBytes {
                kept.removeFirst()
            }
        }
        // Whoever keeps most gives up half of it: a few who keep all they can leave the others their small shares.
        while keptBytes + range.count > limits.keptTotalBytes,
            let greedy = clients.values.max(by: { ($0.kept.byteCount, $1.id) < ($1.kept.byteCount, $0.id) })
        {
            let half = greedy.kept.byteCount / 2
            letGo(of: greedy) { kept in
                while kept.byteCount > half { kept.removeFirst() }
            }
        }
        client.kept.append(output.bytes[range])
        keptBytes += range.count
    }

    /// Lets go of messages; of those for a client that is not there, it is counted.
    private mutating func letGo(of client: Client, _ change: (inout KeptMessages) -> Void) {
        let next = client.kept.next
        let before = client.kept.count
        keptBytes += trim(client, change)
        guard client.connection == nil else { return }
        // One that got its number only to be let go counts, too.
        for _ in 0..<before - client.kept.count + Int(client.kept.next - next) { counters.drop(.keptFull) }
    }
}
