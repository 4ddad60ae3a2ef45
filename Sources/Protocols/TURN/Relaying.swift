import SansIO
import STUN
import Wire

// MARK: Data between clients and peers

extension TURNServer {
    /// RFC 8656 section 12.6.
    mutating func receiveChannelData(
        _ bytes: RawSpan, _ tuple: FiveTuple, at now: Timestamp, into output: inout TURNOutput
    ) {
        guard let allocation = byClient[tuple] else {
            return counters.refuse(
                configuration.serves(tuple.client.address) ? .noAllocation : .clientNotAllowed)
        }
        guard allocation.isAllowed else { return counters.refuse(.clientNotAllowed) }
        var reader = ByteReader(bytes)
        // Over UDP there may be padding behind the data (section 12.5).
        guard let number = reader.readUInt16(), let length = reader.readUInt16(), reader.remaining >= Int(length) else {
            return counters.refuse(.malformed)
        }
        guard let channel = allocation.channels[number] else { return counters.refuse(.noChannel) }
        // The RFC leaves it open whether the client may send while the peer may not; here a permission lets both.
        guard channel.permission.isValid(at: now) else { return counters.refuse(.noPermission) }
        let payload = ChannelData.headerSize..<(ChannelData.headerSize + Int(length))
        if channel.isPeerOwn {
            deliver(bytes, payload, from: allocation, to: channel.peer, at: now, into: &output)
        } else {
            sendToPeer(payload, from: allocation, to: channel.peer, into: &output)
        }
    }

    /// RFC 8656 section 11.2.
    mutating func receiveSend(
        _ message: STUNMessage, _ tuple: FiveTuple, at now: Timestamp, into output: inout TURNOutput
    ) {
        guard let allocation = byClient[tuple] else {
            return counters.refuse(
                configuration.serves(tuple.client.address) ? .noAllocation : .clientNotAllowed)
        }
        guard allocation.isAllowed else { return counters.refuse(.clientNotAllowed) }
        var peer: TransportAddress?
        var payload: Range<Int>?
        var attributes = message.meaningfulAttributes
        while let attribute = attributes.next() {
            switch attribute.type {
            case .xorPeerAddress where peer == nil: peer = attribute.xorAddress(message.transactionID)
            case .data where payload == nil:
                payload = attribute.valueOffset..<(attribute.valueOffset + attribute.value.byteCount)
            default:
                // RFC 8489 section 6.3.2: an indication with an attribute that must be understood and is not is dropped.
                if !attribute.type.isOptional, !Self.isKnown(attribute.type) {
                    return counters.refuse(.unknownAttribute)
                }
            }
        }
        guard let peer, let payload, peer.port != 0 else { return counters.refuse(.badRequest) }
        guard allocation.permissions[peer.address]?.isValid(at: now) == true else {
            return counters.refuse(.noPermission)
        }
        if configuration.isOwn(peer.address) {
            deliver(message.bytes, payload, from: allocation, to: peer, at: now, into: &output)
        } else {
            sendToPeer(payload, from: allocation, to: peer, into: &output)
        }
    }

    /// RFC 8656 sections 11.3 and 12.7.
    mutating func receiveFromPeer(
        _ bytes: RawSpan, relay: TransportAddress, peer: TransportAddress, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        guard let allocation = byRelay[relay], case .open = allocation.state else {
            return counters.refuse(.noAllocation)
        }
        guard allocation.isAllowed else { return counters.refuse(.clientNotAllowed) }
        // Relayed addresses reach each other without the network, so this comes from a service of the machine.
        guard !configuration.isOwn(peer.address) else { return counters.refuse(.peerIsOwnService) }
        forward(bytes, 0..<bytes.byteCount, from: peer, to: allocation, at: now, into: &output)
    }

    private mutating func sendToPeer(
        _ payload: Range<Int>, from allocation: Allocation, to peer: TransportAddress, into output: inout TURNOutput
    ) {
        counters.packetsToPeers &+= 1
        counters.octetsToPeers &+= UInt64(payload.count)
        output.datagrams.append(
            TURNOutput.Datagram(source: .relay(allocation.relay), destination: peer, content: .payload(payload)))
    }

    /// Hands data for an own address to the allocation there, without a way through the kernel; nothing else on the
    /// machine is reached.
    private mutating func deliver(
        _ bytes: RawSpan, _ payload: Range<Int>, from source: Allocation, to peer: TransportAddress,
        at now: Timestamp, into output: inout TURNOutput
    ) {
        guard let target = byRelay[peer], case .open = target.state else {
            return counters.refuse(.peerIsOwnService)
        }
        guard target.isAllowed else { return counters.refuse(.clientNotAllowed) }
        if forward(bytes, payload, from: source.relay, to: target, at: now, into: &output) {
            counters.packetsToPeers &+= 1
            counters.octetsToPeers &+= UInt64(payload.count)
            counters.packetsBetweenClients &+= 1
            counters.octetsBetweenClients &+= UInt64(payload.count)
        }
    }

    /// Sends a peer's data to an allocation's client, if the peer has a permission.
    /// - Returns: whether it had.
    @discardableResult
    private mutating func forward(
        _ bytes: RawSpan, _ payload: Range<Int>, from peer: TransportAddress, to allocation: Allocation,
        at now: Timestamp, into output: inout TURNOutput
    ) -> Bool {
        let channel = allocation.channelsByPeer[peer]
        guard let permission = channel?.permission ?? allocation.permissions[peer.address],
            permission.isValid(at: now)
        else {
            counters.refuse(.noPermission)
            return false
        }
        counters.packetsToClients &+= 1
        counters.octetsToClients &+= UInt64(payload.count)
        let server = TURNOutput.Source.server(allocation.tuple.server)
        if let channel {
            output.datagrams.append(
                TURNOutput.Datagram(
                    source: server, destination: allocation.tuple.client,
                    content: .channelData(number: channel.number, payload)))
            return true
        }
        let buffer = output.takeBuffer()
        let start = buffer.count
        // RFC 8489 section 5 wants the IDs of indications random too; nobody answers this one, a counter does.
        let id = TransactionID(high: 0, low: counters.packetsToClients)
        var writer = STUNWriter(.indication, .data, id, appendingTo: buffer)
        writer.append(.xorPeerAddress, xorAddress: peer)
        writer.append(.data, bytes.extracting(payload))
        output.send(writer.finish(), since: start, from: server, to: allocation.tuple.client)
        return true
    }
}
