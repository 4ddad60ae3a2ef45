import Credentials
import JSON
import SansIO

// What comes from a client, and where it goes: PeerServer's `messageHandler`.
extension PeerBroker {
    /// The types of PeerServer's `enums.ts` that a client sends, and the room's one.
    private enum MessageType {
        case offer, answer, candidate, leave, expire, heartbeat, presence

        /// Finds the type a string names.
        init?(_ value: JSONValue, in text: RawSpan) {
            if value.isString("CANDIDATE", in: text) {
                self = .candidate
            } else if value.isString("OFFER", in: text) {
                self = .offer
            } else if value.isString("ANSWER", in: text) {
                self = .answer
            } else if value.isString("HEARTBEAT", in: text) {
                self = .heartbeat
            } else if value.isString("LEAVE", in: text) {
                self = .leave
            } else if value.isString("PRESENCE", in: text) {
                self = .presence
            } else if value.isString("EXPIRE", in: text) {
                self = .expire
            } else {
                return nil
            }
        }
    }

    // MARK: Arrival

    /// A text message has come.
    mutating func receive(
        _ frame: RawSpan, from connection: ConnectionID, _ now: Timestamp, _ output: inout Output
    ) {
        guard isAccepted(frame.byteCount, from: connection, now, &output) else { return }
        guard connections[connection]?.isWaiting == true else {
            return process(frame, from: connection, now, &output)
        }
        hold(frame, of: connection)
    }

    /// A binary message has come: dropped like anything malformed, and the connection kept.
    mutating func receiveBinary(from connection: ConnectionID, _ now: Timestamp, _ output: inout Output) {
        guard isAccepted(0, from: connection, now, &output) else { return }
        counters.drop(.binary)
    }

    /// A pong has come.
    mutating func receivePong(from connection: ConnectionID, _ now: Timestamp, _ output: inout Output) {
        guard let index = connections.index(forKey: connection) else { return }
        if connections.values[index].heard(at: now) { refuseWaiting(for: connections.values[index].id, &output) }
    }

    /// Notes a sign of life, and says whether the message is within the limits of size and rate.
    private mutating func isAccepted(
        _ byteCount: Int, from connection: ConnectionID, _ now: Timestamp, _ output: inout Output
    ) -> Bool {
        guard let index = connections.index(forKey: connection) else { return false }
        connections.values[index].lastFrame = now
        let isAwaited = connections.values[index].heard(at: now)
        let isWithinRate =
            connections.values[index].frames.take(at: now)
            && connections.values[index].bytes.take(Double(byteCount), at: now)
        let isFlood = !isWithinRate && !connections.values[index].overRate.take(at: now)
        if isAwaited { refuseWaiting(for: connections.values[index].id, &output) }
        if byteCount > limits.frameBytes {
            counters.drop(.tooBig)
            close(
                connection, .messageTooBig, reason: "a message may have \(limits.frameBytes) bytes",
                because: .messageTooBig, now, &output)
            return false
        }
        guard isWithinRate else {
            counters.drop(.rate)
            if isFlood {
                close(connection, .policyViolation, reason: "too many messages", because: .flood, now, &output)
            }
            return false
        }
        return true
    }

    /// Keeps a message of a connection that waits for its id: PeerJS sends what it has before it hears `OPEN`.
    private mutating func hold(_ frame: RawSpan, of connection: ConnectionID) {
        switch connections[connection]?.role {
        case .waiting(var held, let byteCount)
        where held.count < limits.heldFrames && byteCount + frame.byteCount <= limits.heldBytes:
            held.append(frame.withUnsafeBytes { Array($0) })
            connections[connection]?.role = .waiting(held: held, byteCount: byteCount + frame.byteCount)
        case .waiting, .holder, .probed, nil:
            counters.drop(.notOpen)
        }
    }

    // MARK: Meaning

    /// Does what a message of a client with an id says.
    mutating func process(
        _ frame: RawSpan, from connection: ConnectionID, _ now: Timestamp, _ output: inout Output
    ) {
        var type = JSONOccurrences()
        var source = JSONOccurrences()
        var destination = JSONOccurrences()
        var payload = JSONOccurrences()
        let parsed = try? JSONValue.parseObject(frame, maximumDepth: limits.frameDepth) { member in
            if member.name.isString("type", in: frame) {
                type.add(member)
            } else if member.name.isString("dst", in: frame) {
                destination.add(member)
            } else if member.name.isString("src", in: frame) {
                source.add(member)
            } else if member.name.isString("payload", in: frame) {
                payload.add(member)
            }
        }
        guard let object = parsed, let typeValue = type.last, case .string = typeValue.kind else {
            return counters.drop(.malformed)
        }
        guard let type = MessageType(typeValue, in: frame) else { return counters.drop(.unknownType) }
        var recipient: String?
        switch destination.last?.kind {
        case nil, .null: break
        case .string:
            guard let string = destination.last?.string(in: frame), string.utf8.count <= limits.idBytes else {
                return counters.drop(.malformed)
            }
            // PeerServer takes an empty id for none.
            recipient = string.isEmpty ? nil : string
        case .object, .array, .number, .bool: return counters.drop(.malformed)
        }
        let relayed = Relayed(frame: frame, object: object, source: source)
        switch type {
        case .offer, .answer, .candidate:
            guard let recipient else { return counters.drop(.noDestination) }
            relay(relayed, waits: true, from: connection, to: recipient, now, &output)
        case .leave:
            if let recipient {
                relay(relayed, waits: false, from: connection, to: recipient, now, &output)
            } else {
                close(connection, .normal, reason: "left", because: .left, now, &output)
            }
        case .expire:
            guard let recipient else { return counters.drop(.noDestination) }
            relay(relayed, waits: false, from: connection, to: recipient, now, &output)
        case .heartbeat:
            // A page sees no WebSocket pings, so a member hears by this that the box lives. PeerJS expects nothing.
            if connections[connection]?.isMember == true {
                _ = send(output.write(.heartbeat), to: connection, now, &output)
            }
        case .presence:
            guard let id = connections[connection]?.id, room.members[id] != nil else {
                return counters.drop(.unknownType)
            }
            guard let payload = payload.last, case .object = payload.kind else { return counters.drop(.malformed) }
            setPresence(of: id, payload, in: frame, now)
        }
    }

    /// A message on its way from one client to another.
    private struct Relayed: ~Escapable {
        let frame: RawSpan
        let object: JSONValue
        let source: JSONOccurrences

        @_lifetime(copy frame)
        init(frame: RawSpan, object: JSONValue, source: JSONOccurrences) {
            self.frame = frame
            self.object = object
            self.source = source
        }

        /// Writes the message with its `src` overwritten.
        func write(source id: [UInt8], into writer: inout JSONWriter) {
            writer.raw(object, of: frame, overwriting: "src", found: source, with: id.span.bytes)
        }
    }

    /// Passes a message on, or queues it if its recipient is not there.
    private mutating func relay(
        _ message: borrowing Relayed, waits: Bool, from connection: ConnectionID, to recipient: String,
        _ now: Timestamp, _ output: inout Output
    ) {
        guard let index = connections.index(forKey: connection) else { return }
        let sender = connections.values[index].id
        guard connections.values[index].isMember == recipient.hasPrefix(Identifiers.memberPrefix) else {
            // As if there were nobody of that id: what is in the room is not to be found out from outside it.
            counters.drop(.forbidden)
            if waits { sendNotice(.expire(source: recipient, destination: sender), now, &output) }
            return
        }
        if let target = holders[recipient] {
            let start = output.writer.bytes.count
            message.write(source: connections.values[index].quotedID, into: &output.writer)
            let range = start..<output.writer.bytes.count
            if send(range, to: target, now, &output) {
                counters.framesRelayed += 1
                counters.bytesRelayed += UInt64(range.count)
            } else {
                // PeerServer's answer when a send fails: the sender is to stop trying.
                counters.drop(.slowReader)
                sendNotice(.leave(source: recipient, destination: sender), now, &output)
            }
            return
        }
        guard waits else { return counters.drop(.absent) }
        var writer = JSONWriter()
        message.write(source: connections.values[index].quotedID, into: &writer)
        switch queues.add(writer.bytes, from: sender, to: recipient, limits: limits, now: now) {
        case .queued(let deadline):
            counters.framesQueued += 1
            schedule(deadline)
        case .fullAgain: counters.drop(.queueFull)
        case .full:
            counters.drop(.queueFull)
            schedule(now + limits.queueTime)
            sendNotice(.expire(source: recipient, destination: sender), now, &output)
        }
    }

    /// Sends a notice to the client it names as its destination, if it is there.
    mutating func sendNotice(_ notice: Message, _ now: Timestamp, _ output: inout Output) {
        guard let id = notice.destination, let connection = holders[id] else { return }
        _ = send(output.write(notice), to: connection, now, &output)
    }

    // MARK: Sending

    /// Sends bytes of the output to a connection; false if it was closed because it does not read.
    mutating func send(
        _ range: Range<Int>, to connection: ConnectionID, _ now: Timestamp, _ output: inout Output
    ) -> Bool {
        guard let index = connections.index(forKey: connection) else { return false }
        if let unwritable = connections.values[index].unwritable {
            let byteCount = unwritable.byteCount + range.count
            guard byteCount <= limits.slowReaderBytes else {
                closeSlowReader(connection, now, &output)
                return false
            }
            connections.values[index].unwritable = (unwritable.since, byteCount)
        }
        output.actions.append(.send(connection, range))
        return true
    }

    /// The transport takes no more, or takes it again.
    mutating func setWritable(_ isWritable: Bool, _ connection: ConnectionID, _ now: Timestamp) {
        guard let index = connections.index(forKey: connection) else { return }
        if isWritable {
            connections.values[index].unwritable = nil
        } else if connections.values[index].unwritable == nil {
            connections.values[index].unwritable = (now, 0)
            schedule(now + limits.slowReaderTime)
        }
    }

    mutating func closeSlowReader(_ connection: ConnectionID, _ now: Timestamp, _ output: inout Output) {
        close(
            connection, .policyViolation, reason: "messages were not read", because: .slowReader, now, &output)
    }
}
