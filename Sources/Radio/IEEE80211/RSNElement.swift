public import Wire

/// What a station can do beside ciphers (IEEE 802.11-2020, 9.4.2.24.4).
public struct RSNCapabilities: OptionSet, Hashable, Sendable {
    /// The field, as a number.
    public let rawValue: UInt16

    /// Makes capabilities of their number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Pre-authentication with other access points.
    public static let preauthentication = RSNCapabilities(rawValue: 1 << 0)
    /// Sixteen replay counters for a pairwise key, as WMM's priorities need.
    public static let sixteenPairwiseReplayCounters = RSNCapabilities(rawValue: 3 << 2)
    /// Sixteen replay counters for a group key.
    public static let sixteenGroupReplayCounters = RSNCapabilities(rawValue: 3 << 4)
    /// Management frame protection is required.
    public static let managementFrameProtectionRequired = RSNCapabilities(rawValue: 1 << 6)
    /// Management frames can be protected.
    public static let managementFrameProtectionCapable = RSNCapabilities(rawValue: 1 << 7)
    /// Payload-protected A-MSDUs.
    public static let sppAMSDUCapable = RSNCapabilities(rawValue: 1 << 10)
    /// Extended key identifiers for single stations' frames.
    public static let extendedKeyID = RSNCapabilities(rawValue: 1 << 13)
    /// Operating channel validation.
    public static let operatingChannelValidation = RSNCapabilities(rawValue: 1 << 14)
}

/// The RSN element: which ciphers and AKMs a station or access point speaks (IEEE 802.11-2020, 9.4.2.24).
///
/// Every field after the version may be left out; what that means (CCMP, IEEE 802.1X) is filled in here.
public struct RSNElement: Hashable, Sendable {
    /// A PMK identifier's length in octets.
    public static let pmkidLength = 16

    /// The cipher of group-addressed frames.
    public var group: CipherSuite
    /// Ciphers of one station's frames: the one chosen in a request, those offered in a beacon.
    public var pairwise: [CipherSuite]
    /// The AKM chosen, or those offered.
    public var akms: [AKMSuite]
    /// What else can be done.
    public var capabilities: RSNCapabilities
    /// Identifiers of keys that a station holds and would use again, of ``pmkidLength`` octets each.
    public var pmkids: [[UInt8]]
    /// The cipher of group-addressed management frames; nil when it isn't said.
    public var groupManagement: CipherSuite?

    /// Makes an element.
    public init(
        group: CipherSuite = .ccmp, pairwise: [CipherSuite] = [.ccmp], akms: [AKMSuite],
        capabilities: RSNCapabilities = [], pmkids: [[UInt8]] = [], groupManagement: CipherSuite? = nil
    ) {
        self.group = group
        self.pairwise = pairwise
        self.akms = akms
        self.capabilities = capabilities
        self.pmkids = pmkids
        self.groupManagement = groupManagement
    }

    /// Reads an element's body, what is after identifier and length. Octets after the last known field are passed over.
    /// - Throws: ``FrameError/truncated`` where a field ends early, ``FrameError/unsupportedVersion(_:)``, and
    ///   ``FrameError/invalidCount`` for a list of ciphers or AKMs that is empty.
    public init(body: RawSpan) throws(FrameError) {
        var reader = ByteReader(body)
        self.init(akms: [.ieee8021X])
        guard let version = reader.readLittleUInt16() else { throw .truncated }
        guard version == 1 else { throw .unsupportedVersion(version) }
        guard reader.remaining > 0 else { return }
        guard let group = reader.readUInt32() else { throw .truncated }
        self.group = CipherSuite(rawValue: group)
        guard reader.remaining > 0 else { return }
        pairwise = try Self.suites(&reader).map(CipherSuite.init)
        guard reader.remaining > 0 else { return }
        akms = try Self.suites(&reader).map(AKMSuite.init)
        guard reader.remaining > 0 else { return }
        guard let capabilities = reader.readLittleUInt16() else { throw .truncated }
        self.capabilities = RSNCapabilities(rawValue: capabilities)
        guard reader.remaining > 0 else { return }
        guard let count = reader.readLittleUInt16() else { throw .truncated }
        for _ in 0..<count {
            guard let pmkid = reader.readBytes(Self.pmkidLength) else { throw .truncated }
            pmkids.append(pmkid.copied)
        }
        guard reader.remaining > 0 else { return }
        guard let groupManagement = reader.readUInt32() else { throw .truncated }
        self.groupManagement = CipherSuite(rawValue: groupManagement)
    }

    @_lifetime(reader: copy reader)
    private static func suites(_ reader: inout ByteReader) throws(FrameError) -> [UInt32] {
        guard let count = reader.readLittleUInt16() else { throw .truncated }
        guard count > 0 else { throw .invalidCount }
        guard reader.remaining >= 4 * Int(count) else { throw .truncated }
        var suites: [UInt32] = []
        for _ in 0..<count {
            guard let suite = reader.readUInt32() else { throw .truncated }
            suites.append(suite)
        }
        return suites
    }

    /// The whole element, identifier and length first.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 32)
        write(into: &writer)
        return writer.bytes
    }

    /// Appends the whole element, identifier and length first.
    public func write(into writer: inout ByteWriter) {
        var body = ByteWriter(capacity: 32)
        body.write(little: UInt16(1))
        body.write(group.rawValue)
        body.write(little: UInt16(clamping: pairwise.count))
        for suite in pairwise { body.write(suite.rawValue) }
        body.write(little: UInt16(clamping: akms.count))
        for suite in akms { body.write(suite.rawValue) }
        body.write(little: capabilities.rawValue)
        if !pmkids.isEmpty || groupManagement != nil {
            body.write(little: UInt16(clamping: pmkids.count))
            for pmkid in pmkids { body.write(bytes: pmkid) }
        }
        if let groupManagement { body.write(groupManagement.rawValue) }
        writer.write(element: .rsn, body: body.bytes)
    }
}

/// The RSN extension element (IEEE 802.11-2020, 9.4.2.241): what the RSN element had no bits for.
public struct RSNXElement: Hashable, Sendable {
    /// The capability bits, the first octet's first; the low four bits of the first octet hold the length.
    public var octets: [UInt8]

    /// Makes an element that says whether SAE's hash-to-element is spoken.
    public init(hashToElement: Bool) {
        octets = [hashToElement ? 0x20 : 0]
    }

    /// Reads an element's body, what is after identifier and length.
    /// - Throws: ``FrameError/truncated`` when it is empty.
    public init(body: RawSpan) throws(FrameError) {
        guard body.byteCount > 0 else { throw .truncated }
        octets = body.copied
    }

    /// Whether the password element of SAE can be derived by hash-to-element (bit 5).
    public var hashToElement: Bool { octets.first.map { $0 & 0x20 != 0 } ?? false }

    /// The whole element, identifier and length first.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 3)
        write(into: &writer)
        return writer.bytes
    }

    /// Appends the whole element, identifier and length first.
    public func write(into writer: inout ByteWriter) {
        writer.write(element: .rsnExtension, body: octets)
    }
}
