public import Netlink

/// What is asked of the kernel.
public enum NetlinkRequest: Hashable, Sendable {
    /// Of radios.
    case nl80211(NL80211Request)
    /// Of links and addresses.
    case route(RouteRequest)

    /// Whether the answer is many messages, with a last one that says so.
    public var isDump: Bool {
        switch self {
        case .nl80211(let request): request.isDump
        case .route(let request): request.isDump
        }
    }
}

/// The kernel's answer to a ``NetlinkRequest`` that went well.
public enum NetlinkReply: Hashable, Sendable {
    /// It was done.
    /// - cookie: by which events call a frame that was sent.
    case done(cookie: UInt64?)
    /// The radios.
    case wiphys([Wiphy])
    /// The interfaces; of ``NL80211Request/newInterface(wiphy:name:type:address:isOwnedBySocket:)`` the new one.
    case interfaces([WirelessInterface])
    /// The law.
    case regulatory(RegulatoryDomain)
    /// How busy channels are.
    case survey([SurveyEntry])
    /// What a scan found.
    case scan([ScanResult])
    /// The stations.
    case stations([StationInfo])
    /// The sequence counter of a key's last frame, least octet first.
    case keySequence([UInt8])
    /// The links.
    case links([Link])
    /// The addresses.
    case addresses([InterfaceAddress])
    /// The machines that are known.
    case neighbours([LinkNeighbour])
}

/// Gathers the messages that answer one request.
public struct NetlinkReplyCollector: Sendable {
    /// Entries kept of one list, radios apart: networks of a scan, stations, interfaces, addresses.
    public static let maximumEntries = 1024

    private var reply: NetlinkReply
    private let isDump: Bool
    /// Whether the list changed while it was told; it is to be asked for again.
    public private(set) var isInconsistent = false

    /// Makes a collector.
    /// - Parameter request: what was asked.
    public init(for request: NetlinkRequest) {
        isDump = request.isDump
        switch request {
        case .nl80211(let request):
            switch request {
            case .getWiphys: reply = .wiphys([])
            case .getInterfaces, .newInterface: reply = .interfaces([])
            case .getScan: reply = .scan([])
            case .getSurvey: reply = .survey([])
            case .getStation, .getStations: reply = .stations([])
            case .getRegulatory, .setInterface, .deleteInterface, .setRegulatory, .startAccessPoint,
                .stopAccessPoint, .setBeacon, .setBSS, .newStation, .setStation, .deleteStation, .newKey,
                .setDefaultKey, .getKey, .deleteKey, .registerFrame, .registerUnexpectedFrames, .sendFrame,
                .sendControlPortFrame, .triggerScan, .abortScan, .probeClient, .setPowerSave:
                reply = .done(cookie: nil)
            }
        case .route(let request):
            switch request {
            case .getLinks, .getLink: reply = .links([])
            case .getAddresses: reply = .addresses([])
            case .getNeighbours: reply = .neighbours([])
            case .setLink, .addAddress, .deleteAddress, .askNeighbour: reply = .done(cookie: nil)
            }
        }
    }

    /// Takes a message with the request's number.
    /// - Parameter message: the message.
    /// - Returns: the outcome, once the last message came.
    public mutating func take(_ message: borrowing NetlinkMessage) -> Result<NetlinkReply, NetlinkError>? {
        let header = message.header
        if header.flags.contains(.dumpInterrupted) { isInconsistent = true }
        switch header.type {
        case NetlinkHeader.error, NetlinkHeader.done:
            guard let acknowledgement = NetlinkAcknowledgement(message) else { return nil }
            if let error = acknowledgement.error { return .failure(error) }
            // A dump ends with DONE alone; anything else with an acknowledgement.
            guard isDump == (header.type == NetlinkHeader.done) else { return nil }
            if case .done(nil) = reply, let cookie = acknowledgement.cookie { reply = .done(cookie: cookie) }
            return .success(reply)
        case NetlinkHeader.noop:
            return nil
        default:
            add(message)
            return nil
        }
    }

    private mutating func add(_ message: borrowing NetlinkMessage) {
        let attributes = GenericHeader.attributes(of: message.payload)
        // The list is taken out of the reply, so that it is not copied when it grows.
        let reply = reply
        self.reply = .done(cookie: nil)
        switch consume reply {
        case .done(let cookie):
            if let cookie = attributes.first(Attribute.cookie)?.uint64 {
                self.reply = .done(cookie: cookie)
            } else if let domain = RegulatoryDomain(attributes) {
                self.reply = .regulatory(domain)
            } else if let sequence = Self.keySequence(attributes) {
                self.reply = .keySequence(sequence)
            } else {
                self.reply = .done(cookie: cookie)
            }
        case .regulatory(let domain): self.reply = .regulatory(domain)
        case .keySequence(let sequence): self.reply = .keySequence(sequence)
        case .wiphys(var list):
            Wiphy.merge(attributes, into: &list)
            self.reply = .wiphys(list)
        case .interfaces(var list):
            Self.append(WirelessInterface(attributes), to: &list)
            self.reply = .interfaces(list)
        case .survey(var list):
            Self.append(SurveyEntry(attributes), to: &list)
            self.reply = .survey(list)
        case .scan(var list):
            Self.append(ScanResult(attributes), to: &list)
            self.reply = .scan(list)
        case .stations(var list):
            Self.append(StationInfo(attributes), to: &list)
            self.reply = .stations(list)
        case .links(var list):
            if case .link(let link) = RouteEvent(message) { Self.append(link, to: &list) }
            self.reply = .links(list)
        case .addresses(var list):
            if case .address(let address) = RouteEvent(message) { Self.append(address, to: &list) }
            self.reply = .addresses(list)
        case .neighbours(var list):
            Self.append(LinkNeighbour(message.payload), to: &list)
            self.reply = .neighbours(list)
        }
    }

    private static func keySequence(_ attributes: borrowing NetlinkAttributes) -> [UInt8]? {
        attributes.first(Attribute.key)?.nested.first(KeyAttribute.sequence)?.bytes
            ?? attributes.first(Attribute.keySequence)?.bytes
    }

    private static func append<Entry>(_ entry: Entry?, to list: inout [Entry]) {
        if let entry, list.count < maximumEntries { list.append(entry) }
    }
}
