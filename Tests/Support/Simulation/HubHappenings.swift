import DataChannel
import Hub
import LANHub
import SCTP
import SansIO
import WebRTCClient
import WebRTCDirect
import Wire

// MARK: What happens in a simulation of the hub

extension HubSimulation {
    mutating func happen(_ event: Event) throws {
        switch event {
        case .toBox(let source, let bytes): try tellBox(.datagram(bytes.span.bytes, from: source, to: Self.boxAddress))
        case .toPhone(let index, let destination, let bytes):
            let phone = phones[index]
            // What was sent to an address the phone has left is lost.
            guard phone.address == destination, now >= phone.silentUntil else { return }
            // DTLS; that the box does not know it any more is another thing.
            if let first = bytes.first, (20...63).contains(first) { phone.lastHeard = now }
            try tell(phone, .datagram(bytes.span.bytes))
        case .dial(let index, let isLoadedAnew): try dial(phones[index], isLoadedAnew: isLoadedAnew)
        case .send(let index, let other, let padding):
            let phone = phones[index]
            guard phone.isIn, let id = phones[other].id, let stream = phone.hubStream else {
                // It has to wait until both have been in the room.
                return agenda.add(event, at: now + .milliseconds(300))
            }
            let number = phone.sent[other] ?? 0
            phone.sent[other] = number + 1
            let pad = String(repeating: "x", count: padding)
            try send(
                #"{"t":"to","id":\#(id),"payload":{"dial":\#(phone.dial),"number":\#(number),"pad":"\#(pad)"}}"#,
                on: stream, of: phone)
        case .sendToRoom(let index):
            let phone = phones[index]
            guard phone.isRoomOpen, let stream = phone.roomStream else { return }
            phone.roomSent += 1
            try send("{\"number\":\(phone.roomSent)}", on: stream, of: phone)
        case .move(let index):
            let phone = phones[index]
            guard !phone.isOver else { return }
            place(phone)
            try tell(phone, .moved)
        case .silence(let index, let length): phones[index].silentUntil = now + length
        case .vanish(let index, let length, let isLoadedAnew):
            phones[index].leave()
            agenda.add(.dial(index, isLoadedAnew: isLoadedAnew), at: now + length)
        case .closeRoom(let index):
            guard let connection = phones[index].room, rooms.removeValue(forKey: connection) != nil else { return }
            phones[index].isRoomClosed = true
            try tellBox(.closeRoom(connection))
        case .restart: restart()
        }
    }

    private mutating func send(_ text: String, on stream: UInt16, of phone: HubPhone) throws {
        let bytes = Array(text.utf8)
        try tell(phone, .send(bytes.span.bytes, channel: stream, .text))
    }

    /// Gives a phone an address that nobody had.
    private mutating func place(_ phone: HubPhone) {
        let port = phone.address.port + 1
        phone.address = TransportAddress(.v4(0xC0A8_0002 + UInt32(phone.index) + UInt32(port % 3) * 256), port: port)
        phoneByAddress[phone.address] = phone.index
    }

    private mutating func dial(_ phone: HubPhone, isLoadedAnew: Bool) throws {
        // It vanished again before it could.
        guard phone.isOver else { return }
        phone.dial += 1
        phone.client = client(of: phone.index, dial: phone.dial)
        phone.isOver = false
        phone.restartsWhenDialled = summary.restarts
        phone.hubStream = nil
        phone.roomStream = nil
        phone.isRoomOpen = false
        phone.sent = [:]
        phone.roomSent = 0
        phone.roomHeard = 0
        if isLoadedAnew { phone.last = nil }
        place(phone)
        try tell(phone, .start)
        for label in ["hub", "room"] { try tell(phone, .openChannel(DataChannelParameters(label: label))) }
    }

    // MARK: The box

    mutating func tellBox(_ input: borrowing LANHubInput) throws {
        output.removeAll()
        wake = box.hub.handle(input, at: now, into: &output)
        let events = output.events
        let payload = output.payload
        try sendDatagrams()
        for event in events { try boxTold(event, payload) }
    }

    private mutating func sendDatagrams() throws {
        let written = output.written
        for datagram in output.datagrams {
            guard let index = phoneByAddress[datagram.destination] else { throw failure("a datagram to nobody") }
            summary.datagrams += 1
            let arrivals = phones[index].down.arrivals(at: now)
            if arrivals.isEmpty { summary.lost += 1 }
            for time in arrivals {
                agenda.add(.toPhone(index, to: datagram.destination, Array(written[datagram.range])), at: time)
            }
        }
    }

    private mutating func boxTold(_ event: LANHubEvent, _ payload: [UInt8]) throws {
        switch event {
        case .dialled(let connection):
            guard phoneByAddress[connection.address] != nil else { throw failure("connected from nowhere") }
            summary.connections += 1
        case .moved(let address):
            guard phoneByAddress[address] != nil else { throw failure("moved to nowhere") }
            summary.moves += 1
        case .roomOpened(let connection, let address):
            guard let index = phoneByAddress.first(where: { $0.key.address == address })?.value else {
                throw failure("a channel from nowhere")
            }
            guard rooms.updateValue((index, 0), forKey: connection) == nil else {
                throw failure("a channel opened twice")
            }
            phones[index].room = connection
        case .roomMessage(let connection, let range):
            guard let room = rooms[connection] else { throw failure("a text on a channel that is gone") }
            let text = Array(payload[range])
            guard Facts(text).integer("number") == room.texts + 1 else {
                throw failure("text \(String(decoding: text, as: UTF8.self)) came after \(room.texts)")
            }
            rooms[connection]?.texts += 1
            try tellBox(.roomText(connection, text.span.bytes))
        case .roomClosed(let connection):
            guard rooms.removeValue(forKey: connection) != nil else { throw failure("a channel closed twice") }
        case .hub(.idsReserved(let through)): reservedIDs = through
        case .hub, .roomWritable, .left: break
        }
    }

    // MARK: A phone

    mutating func tell(_ phone: HubPhone, _ input: borrowing ClientInput) throws {
        guard !phone.isOver else { return }
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
            for time in arrivals { agenda.add(.toBox(from: phone.address, Array(written[range])), at: time) }
        }
        let payload = phone.output.payload
        for event in phone.output.events {
            switch event {
            case .checked: phone.lastHeard = now
            case .transport(let event): try phoneTold(phone, event, payload)
            case .ended:
                guard !phone.isOver else { break }
                phone.leave()
                let wait = Duration.milliseconds(Int.random(in: 100...1_000, using: &generator))
                agenda.add(.dial(phone.index, isLoadedAnew: false), at: now + wait)
            }
        }
    }

    private mutating func phoneTold(_ phone: HubPhone, _ event: TransportEvent, _ payload: [UInt8]) throws {
        switch event {
        case .channelOpening(let stream):
            // Asked for in this order.
            if phone.hubStream == nil { phone.hubStream = stream } else { phone.roomStream = stream }
        case .channelOpened(let stream, _, _):
            if stream == phone.roomStream { phone.isRoomOpen = true }
        case .message(let stream, _, let range):
            let facts = Facts(Array(payload[range]))
            if stream == phone.hubStream { return try receive(facts, at: phone) }
            guard facts.integer("number") == phone.roomHeard + 1 else {
                throw failure("phone \(phone.index): text \(facts.text) came back after \(phone.roomHeard)")
            }
            phone.roomHeard += 1
            summary.texts += 1
        case .channelClosed(let stream):
            if stream == phone.hubStream, phone.isIn {
                throw failure("phone \(phone.index): its channel `hub` was closed")
            }
        case .sendRefused(let stream, let cause):
            // What brought this message may have brought the end as well, which is told after it.
            guard cause == .notConnected || stream == phone.roomStream && phone.isRoomClosed else {
                throw failure("phone \(phone.index)'s send on \(stream): \(cause)")
            }
        case .connected, .unwritable, .writable, .refused, .closed: break
        }
    }

    private mutating func receive(_ frame: Facts, at phone: HubPhone) throws {
        let name = "phone \(phone.index)"
        switch frame.word("t") {
        case "id":
            guard let id = frame.integer("id"), let token = frame.word("resume") else {
                throw failure("\(name): \(frame.text)")
            }
            if phone.token == nil { phone.token = token }
            guard let next = frame.integer("next") else {
                // The first frame of all: now it joins.
                let last = phone.last.map { #","last":\#($0)"# } ?? ""
                guard let stream = phone.hubStream, let token = phone.token else { return }
                return try send(#"{"t":"join","room":"r","resume":"\#(token)"\#(last)}"#, on: stream, of: phone)
            }
            if let known = phone.id {
                guard id == known else { throw failure("\(name) was \(known) and is \(id) now") }
                summary.returns += 1
                // Loaded anew, it does not know what it has.
                if phone.last == nil { phone.mayHaveLost = Set(phones.indices) }
            }
            phone.id = id
            if let last = phone.last, next != last + 1 {
                guard next > last else { throw failure("\(name) has \(last) and is to get \(next) next") }
                // A phone is gone within 8 s, and its place is kept for 30 s.
                guard summary.restarts > phone.restartsWhenIn || now - phone.lostSince > .seconds(25) else {
                    throw failure("\(name) was away for \(now - phone.lostSince) only and lost messages")
                }
                summary.gaps += 1
                phone.mayHaveLost = Set(phones.indices)
            }
            phone.last = next - 1
            phone.isIn = true
            phone.restartsWhenIn = phone.restartsWhenDialled
        case "from":
            guard let seq = frame.integer("seq"), let id = frame.integer("id"), let dial = frame.integer("dial"),
                let number = frame.integer("number"), let sender = phones.first(where: { $0.id == id })
            else { throw failure("\(name): \(frame.text)") }
            guard let last = phone.last, seq == last + 1 else {
                throw failure("\(name): \(seq) came after \(phone.last ?? -1)")
            }
            phone.last = seq
            if let wrong = phone.receive(number, dial: dial, from: sender.index) {
                throw failure("\(name), from phone \(sender.index): \(wrong)")
            }
            summary.messages += 1
            if seq % 4 == 0, let stream = phone.hubStream {
                try send(#"{"t":"ack","seq":\#(seq)}"#, on: stream, of: phone)
            }
        case "closed":
            // Its former connection, which still lived.
            break
        default: throw failure("\(name): \(frame.text)")
        }
    }
}

/// Members of a JSON object that the box or a phone of these simulations wrote, wherever they stand in it.
struct Facts {
    let text: String

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    private func value(_ name: String) -> Substring? {
        let key = "\"\(name)\":"
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(key) { return text[start...].dropFirst(key.count) }
            start = text.index(after: start)
        }
        return nil
    }

    func integer(_ name: String) -> Int? { value(name).flatMap { Int($0.prefix { $0.isNumber }) } }

    func word(_ name: String) -> String? {
        guard let value = value(name), value.first == "\"" else { return nil }
        return String(value.dropFirst().prefix { $0 != "\"" })
    }
}
