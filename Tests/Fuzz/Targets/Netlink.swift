import NL80211
import Netlink
import SansIO
import Wire

extension FuzzTarget {
    /// A conversation with the kernel: requests, answers to them in pieces, and events, with attributes of any kind.
    static let netlink = FuzzTarget("netlink", longest: 2_048) { input in
        try readMessages(input)
        var run = NetlinkRun(input)
        try run.play()
    }

    /// Every decoder, with the input as it is.
    private static func readMessages(_ input: [UInt8]) throws {
        let bytes = input.span.bytes
        var reader = NetlinkMessageReader(bytes)
        while let message = reader.next() {
            _ = NetlinkAcknowledgement(message)
            _ = RouteEvent(message)
        }
        let isSeen = RuleMessages.concern(table: "kibitz-local", bytes)
        try always(isSeen || !reader.isMalformed, "what is cut off is passed over")
        let attributes = NetlinkAttributes(bytes)
        var total = 0
        var walk = attributes.again()
        while let attribute = walk.next() { total += attribute.payload.byteCount + NetlinkAttribute.headerSize }
        try always(total <= input.count, "attributes are longer than what holds them")
        var wiphys: [Wiphy] = []
        Wiphy.merge(attributes, into: &wiphys)
        try always(wiphys.count <= 1, "one message makes more than one radio")
        _ = WirelessInterface(attributes)
        _ = RegulatoryDomain(attributes)
        _ = SurveyEntry(attributes)
        _ = ScanResult(attributes)
        _ = StationInfo(attributes)
        _ = NL80211Event(bytes)
        if let change = RadioSwitch(bytes) {
            try always(input.count >= RadioSwitch.eventSize, "a switch made of too few octets: \(change)")
        }
    }
}

private struct NetlinkRun {
    private static let family: UInt16 = 28
    private static let station = MACAddress(0x0200_0000_0100)
    private static let requests: [NetlinkRequest] = [
        .nl80211(.getWiphys), .nl80211(.getInterfaces), .nl80211(.getRegulatory(wiphy: nil)),
        .nl80211(.getScan(interface: 3)), .nl80211(.getSurvey(interface: 3)), .nl80211(.getStations(interface: 3)),
        .nl80211(.getStation(interface: 3, address: station)),
        .nl80211(.getKey(interface: 3, station: nil, index: 1)), .nl80211(.stopAccessPoint(interface: 3)),
        .nl80211(.newInterface(wiphy: 0, name: "ap0", type: .accessPoint, address: nil, isOwnedBySocket: true)),
        .route(.getLinks), .route(.getAddresses),
    ]

    private var script: FuzzScript
    private let isRoute: Bool
    private var client: NetlinkClient
    private var output = NetlinkOutput()
    private var now = Timestamp.zero + .seconds(1000)
    private var wake: Timestamp?
    private var lastID: UInt64 = 0
    private var open: Set<NetlinkRequestID> = []
    /// The numbers of messages that were sent, the latest last.
    private var sequences: [UInt32] = []

    init(_ input: [UInt8]) {
        script = FuzzScript(input)
        isRoute = script.byte() & 3 == 0
        client = NetlinkClient(family: isRoute ? .route : .nl80211(number: Self.family))
    }

    mutating func play() throws {
        while !script.isAtEnd {
            switch script.number(below: 8) {
            case 0, 1:
                lastID += 1
                let id = NetlinkRequestID(rawValue: lastID)
                open.insert(id)
                try handle(.request(id, script.element(of: Self.requests)))
            case 2, 3, 4:
                let bytes = datagram()
                try handle(.datagram(bytes.span.bytes))
            case 5:
                let bytes = script.longRun()
                try handle(.datagram(bytes.span.bytes))
            case 6:
                now = now + .milliseconds(Int(script.uint16()))
                try handle(.wake)
            default:
                switch script.number(below: 8) {
                case 0: try handle(.overrun)
                case 1: try handle(.closed)
                case 2: try handle(.sendFailed(sequence: sequences.last ?? 0, .busy))
                default: break
                }
            }
        }
        now = now + NetlinkClient.timeout
        try handle(.wake)
        try always(open.isEmpty && client.pendingCount == 0, "a request has no outcome")
        try always(wake == nil, "it wants to be called for nothing")
    }

    /// Some messages, most of them well-formed.
    private mutating func datagram() -> [UInt8] {
        var writer = NetlinkWriter()
        for _ in 0..<(1 + script.number(below: 3)) {
            let form = script.byte()
            let sequence = form & 1 == 0 ? sequences.last ?? 0 : 0
            switch form >> 1 & 7 {
            case 0:
                // The end of a list, or of a request: the request is repeated in front of what the kernel adds.
                let type = form & 16 == 0 ? NetlinkHeader.done : NetlinkHeader.error
                writer.beginMessage(
                    type: type, flags: NetlinkFlags(rawValue: script.uint16()), sequence: sequence)
                writer.write(form & 32 == 0 ? UInt32(0) : UInt32(bitPattern: -Int32(script.byte())))
                if type == NetlinkHeader.error {
                    for word in [16, UInt32(Self.family), sequence, 0] { writer.write(word) }
                }
            case 1 where isRoute, 2 where isRoute, 3 where isRoute:
                writer.beginMessage(type: 16 + UInt16(script.byte() & 7), flags: [], sequence: sequence)
                for _ in 0..<(script.byte() & 1 == 0 ? 2 : 4) { writer.write(script.uint32()) }
            default:
                writer.beginMessage(
                    type: isRoute ? 16 + UInt16(form >> 4) : Self.family,
                    flags: NetlinkFlags(rawValue: UInt16(form >> 4)), sequence: sequence)
                writer.write(GenericHeader(command: script.byte(), version: 1))
            }
            attributes(into: &writer, depth: 0)
        }
        writer.endMessage()
        return writer.bytes
    }

    private mutating func attributes(into writer: inout NetlinkWriter, depth: Int) {
        for _ in 0..<script.number(below: 6) {
            let form = script.byte()
            let type = UInt16(script.byte()) | (form & 128 == 0 ? 0 : 256)
            switch form & 7 {
            case 0: writer.put(type, script.uint32())
            case 1: writer.put(type, script.byte())
            case 2: writer.put(type, Self.station)
            case 3: writer.put(type, script.run())
            case 4: writer.put(type, "phy\(script.byte())")
            case 5: writer.putFlag(type)
            default:
                guard depth < 5 else { continue }
                writer.putNest(type) { attributes(into: &$0, depth: depth + 1) }
            }
        }
    }

    private mutating func handle(_ input: borrowing NetlinkInput) throws {
        FuzzTarget.feed()
        output.removeAll()
        wake = client.handle(input, at: now, into: &output)
        if let wake { try always(wake > now, "it wants to be called in the past") }
        for message in output.messages {
            sequences.append(message.sequence)
            var reader = NetlinkMessageReader(message.bytes.span.bytes)
            guard let sent = reader.next() else { throw FuzzFinding("what is sent is no message") }
            try always(sent.header.sequence == message.sequence, "a message has another number")
            let isLast = reader.next() == nil
            try always(isLast && !reader.isMalformed, "more than a message is sent at once")
        }
        for event in output.events {
            switch event {
            case .reply(let id, let result):
                try always(open.remove(id) != nil, "a request has two outcomes")
                if case .success(let reply) = result { try check(reply) }
            case .nl80211, .route, .eventsLost: break
            }
        }
        try always(client.pendingCount <= NetlinkClient.maximumRequests, "more requests than the limit")
    }

    private func check(_ reply: NetlinkReply) throws {
        let count =
            switch reply {
            case .done, .regulatory, .keySequence: 1
            case .wiphys(let entries): entries.count
            case .interfaces(let entries): entries.count
            case .survey(let entries): entries.count
            case .scan(let entries): entries.count
            case .stations(let entries): entries.count
            case .links(let entries): entries.count
            case .neighbours(let entries): entries.count
            case .addresses(let entries): entries.count
            }
        try always(count <= NetlinkReplyCollector.maximumEntries, "a list is longer than the limit")
    }
}
