import Wire

/// What a station says of itself in an association request, as far as an access point needs it (IEEE 802.11-2020,
/// Table 9-34). Of elements that come twice the first counts.
public struct StationElements: Hashable, Sendable {
    /// The name of the network it wants; nil when it doesn't say.
    public var ssid: [UInt8]?
    /// Its rates.
    public var rates = SupportedRates(octets: [])
    /// The RSN element's body.
    public var rsn: [UInt8]?
    /// The RSN extension element's body.
    public var rsnExtension: [UInt8]?
    /// The HT capabilities element's body, ``HTCapabilities/byteCount`` octets.
    public var ht: [UInt8]?
    /// The VHT capabilities element's body, ``VHTCapabilities/byteCount`` octets.
    public var vht: [UInt8]?
    /// The HE capabilities element's body, after the extended identifier: as long as it says itself.
    public var he: [UInt8]?
    /// The extended capabilities element's body.
    public var extendedCapabilities: [UInt8]?
    /// WMM: the QoS information octet (which queues it fetches by trigger, and how many frames at once); nil without.
    public var qosInformation: UInt8?

    /// Reads elements.
    /// - Parameter elements: elements, and nothing else.
    /// - Throws: ``FrameError/truncated`` when an element ends early. Elements of a known kind that are too short count
    ///   as not there.
    public init(_ elements: RawSpan) throws(FrameError) {
        var reader = ElementReader(elements)
        var extendedRates: [UInt8]?
        var supportedRates: [UInt8]?
        while let element = reader.next() {
            let body = element.body
            switch element.id {
            case .ssid: ssid = ssid ?? body.copied
            case .supportedRates: supportedRates = supportedRates ?? body.copied
            case .extendedSupportedRates: extendedRates = extendedRates ?? body.copied
            case .rsn: rsn = rsn ?? body.copied
            case .rsnExtension: rsnExtension = rsnExtension ?? body.copied
            case .htCapabilities: ht = ht ?? Self.fixed(body, HTCapabilities.byteCount)
            case .vhtCapabilities: vht = vht ?? Self.fixed(body, VHTCapabilities.byteCount)
            case .extendedCapabilities: extendedCapabilities = extendedCapabilities ?? body.copied
            case .vendor: qosInformation = qosInformation ?? Self.qosInformation(body)
            case .extension where element.extensionID == .heCapabilities:
                he = he ?? HECapabilities.byteCount(of: body).flatMap { Self.fixed(body, $0) }
            default: break
            }
        }
        if reader.isMalformed { throw .truncated }
        rates = SupportedRates(octets: (supportedRates ?? []) + (extendedRates ?? []))
    }

    private static func fixed(_ body: RawSpan, _ count: Int) -> [UInt8]? {
        body.byteCount < count ? nil : body.extracting(first: count).copied
    }

    private static func qosInformation(_ body: RawSpan) -> UInt8? {
        // OUI, type, subtype, version, QoS information.
        guard body.byteCount >= WMM.information.count + 2,
            body.extracting(first: WMM.information.count).elementsEqual(WMM.information)
        else { return nil }
        return body.unsafeLoad(fromByteOffset: WMM.information.count + 1, as: UInt8.self)
    }
}
