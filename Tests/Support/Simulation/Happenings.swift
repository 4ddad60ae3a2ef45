import DataChannel
import SansIO
import WebRTCClient
import WebRTCDirect
import Wire

// MARK: What happens in a simulation

extension Simulation {
    mutating func happen(_ event: Event) throws {
        switch event {
        case .toBox(let index, let source, let bytes):
            _ = index
            try box(.datagram(bytes.span.bytes, from: source, to: Self.boxAddress))
        case .toPhone(let index, let destination, let bytes):
            let phone = phones[index]
            // What was sent to an address the phone has left is lost.
            guard phone.address == destination, now >= phone.silentUntil else { return }
            try self.phone(phone, .datagram(bytes.span.bytes))
        case .start(let index):
            let phone = phones[index]
            try self.phone(phone, .start)
            for channel in phone.channels { try self.phone(phone, .openChannel(channel.parameters)) }
        case .send(let index, let channel, let isFromBox):
            try send(phones[index], channel, isFromBox: isFromBox)
        case .move(let index):
            let phone = phones[index]
            guard phone.end == nil else { return }
            let port = phone.address.port + 1
            phone.address = TransportAddress(
                .v4(0xC0A8_0002 + UInt32(index) + UInt32(port % 3) * 256), port: port)
            phoneByAddress[phone.address] = index
            try self.phone(phone, .moved)
        case .silence(let index, let length):
            phones[index].silentUntil = now + length
        case .closeChannel(let index, let channel, let isByBox):
            let phone = phones[index]
            guard let stream = phone.channels[channel].stream, phone.channels[channel].isOpenAtBox, !phone.isDead else {
                return
            }
            phone.channels[channel].isClosed = true
            if isByBox {
                guard let id = phone.id else { return }
                try box(.closeChannel(id, channel: stream))
            } else {
                try self.phone(phone, .closeChannel(stream))
            }
        }
    }

    private mutating func send(_ phone: Phone, _ number: Int, isFromBox: Bool) throws {
        let channel = phone.channels[number]
        guard !phone.isDead, !channel.isClosed else { return }
        guard let stream = channel.stream, isFromBox ? channel.isOpenAtBox : channel.isOpen else {
            // Not open yet.
            return agenda.add(
                .send(phone: phone.index, channel: number, isFromBox: isFromBox), at: now + .milliseconds(50))
        }
        let traffic = isFromBox ? channel.toPhone : channel.toBox
        let bytes = traffic.message(traffic.sent)
        let kind: DataChannelMessageKind = traffic.sent % 2 == 0 ? .text : .binary
        if isFromBox {
            guard let id = phone.id else { throw failure("a channel without a peer") }
            phone.channels[number].toPhone.sent += 1
            try box(.send(bytes.span.bytes, to: id, channel: stream, kind))
        } else {
            phone.channels[number].toBox.sent += 1
            try self.phone(phone, .send(bytes.span.bytes, channel: stream, kind))
        }
    }

    // MARK: The box

    mutating func box(_ input: borrowing EndpointInput) throws {
        output.removeAll()
        wake = endpoint.core.handle(input, at: now, into: &output)
        let written = output.written
        for datagram in output.datagrams {
            // Nobody is there any more at an address that is not known.
            guard let index = phoneByAddress[datagram.destination] else { throw failure("a datagram to nobody") }
            summary.datagrams += 1
            let arrivals = phones[index].down.arrivals(at: now)
            if arrivals.isEmpty { summary.lost += 1 }
            for time in arrivals {
                agenda.add(
                    .toPhone(phone: index, to: datagram.destination, Array(written[datagram.range])), at: time)
            }
        }
        let payload = output.payload
        for event in output.events { try boxTold(event, payload) }
    }

    private mutating func boxTold(_ event: EndpointEvent, _ payload: [UInt8]) throws {
        switch event {
        case .connected(let id, let connection):
            guard let index = phoneByAddress[connection.address] else { throw failure("connected from nowhere") }
            guard phones[index].id == nil else { throw failure("phone \(index) connected twice") }
            phones[index].id = id
            phoneByID[id] = index
            summary.connections += 1
        case .channelOpened(let id, let stream, let parameters, let isIncoming):
            let (phone, number) = try channel(id) { $0.parameters.label == parameters.label }
            guard isIncoming, parameters == phone.channels[number].parameters else {
                throw failure("channel \(number) of phone \(phone.index) came as \(parameters)")
            }
            guard !phone.channels[number].isOpenAtBox else { throw failure("channel \(number) opened twice") }
            phone.channels[number].isOpenAtBox = true
            guard phone.channels[number].stream == stream else { throw failure("channel \(number) is on \(stream)") }
        case .message(let id, let stream, _, let range):
            let (phone, number) = try channel(id) { $0.stream == stream }
            summary.messages += 1
            if let wrong = phone.channels[number].atBox.receive(payload[range]) {
                throw failure("at the box, channel \(number) of phone \(phone.index): \(wrong)")
            }
        case .channelClosed(let id, let stream):
            let (phone, number) = try channel(id) { $0.stream == stream }
            guard phone.channels[number].isClosed else { throw failure("channel \(number) closed by itself") }
        case .moved(_, let address):
            guard phoneByAddress[address] != nil else { throw failure("moved to nowhere") }
            summary.moves += 1
        case .sendRefused(let id, let stream, let cause):
            let (phone, number) = try channel(id) { $0.stream == stream }
            guard phone.isDead || phone.channels[number].isClosed else { throw failure("the box's send: \(cause)") }
        case .disconnected(let id, let reason):
            guard let index = phoneByID[id] else { throw failure("an unknown peer is gone") }
            guard phones[index].boxEnd == nil else { throw failure("phone \(index) is gone twice") }
            phones[index].boxEnd = reason
        case .channelOpening, .unwritable, .writable: break
        }
    }

    private func channel(_ id: PeerID, _ isIt: (PhoneChannel) -> Bool) throws -> (Phone, Int) {
        guard let index = phoneByID[id], let number = phones[index].channels.firstIndex(where: isIt) else {
            throw failure("a channel nobody opened")
        }
        return (phones[index], number)
    }

    // MARK: A phone

    mutating func phone(_ phone: Phone, _ input: borrowing ClientInput) throws {
        phone.output.removeAll()
        phone.wake = phone.client.handle(input, at: now, into: &phone.output)
        let written = phone.output.written.bytes
        for range in phone.output.datagrams {
            summary.datagrams += 1
            let arrivals = phone.up.arrivals(at: now)
            if arrivals.isEmpty || now < phone.silentUntil {
                summary.lost += 1
                continue
            }
            for time in arrivals {
                agenda.add(.toBox(phone: phone.index, from: phone.address, Array(written[range])), at: time)
            }
        }
        let payload = phone.output.payload
        for event in phone.output.events {
            switch event {
            case .checked: break
            case .transport(let event): try phoneTold(phone, event, payload)
            case .ended(let reason): phone.end = reason
            }
        }
    }

    private mutating func phoneTold(_ phone: Phone, _ event: TransportEvent, _ payload: [UInt8]) throws {
        let name = "phone \(phone.index)"
        switch event {
        case .connected:
            phone.isConnected = true
        case .channelOpening(let stream):
            // Asked for in this order.
            guard let number = phone.channels.firstIndex(where: { $0.stream == nil }) else {
                throw failure("\(name) got a channel too many")
            }
            phone.channels[number].stream = stream
        case .channelOpened(let stream, _, let isIncoming):
            guard !isIncoming, let number = phone.channels.firstIndex(where: { $0.stream == stream }) else {
                throw failure("\(name) got a channel it did not open")
            }
            phone.channels[number].isOpen = true
        case .message(let stream, _, let range):
            guard let number = phone.channels.firstIndex(where: { $0.stream == stream }) else {
                throw failure("\(name) got a message on stream \(stream)")
            }
            summary.messages += 1
            if let wrong = phone.channels[number].atPhone.receive(payload[range]) {
                throw failure("at \(name), channel \(number): \(wrong)")
            }
        case .channelClosed(let stream):
            guard let number = phone.channels.firstIndex(where: { $0.stream == stream }),
                phone.channels[number].isClosed
            else { throw failure("\(name): stream \(stream) closed by itself") }
        case .sendRefused(let stream, let cause):
            let isClosed = phone.channels.contains { $0.stream == stream && $0.isClosed }
            guard isClosed else { throw failure("\(name)'s send on \(stream): \(cause)") }
        case .refused(let cause):
            guard phone.channels.contains(where: \.isClosed) else { throw failure("\(name) refused: \(cause)") }
        case .unwritable, .writable, .closed: break
        }
    }
}
