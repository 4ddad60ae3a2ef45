public import Wire

/// What a station or access point is and can do (IEEE 802.11-2020, 9.4.1.4).
public struct CapabilityInformation: OptionSet, Hashable, Sendable {
    /// The field, as a number.
    public let rawValue: UInt16

    /// Makes capabilities of their number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An access point, or a station of one.
    public static let ess = CapabilityInformation(rawValue: 1 << 0)
    /// Data frames are encrypted.
    public static let privacy = CapabilityInformation(rawValue: 1 << 4)
    /// 802.11b's short preamble.
    public static let shortPreamble = CapabilityInformation(rawValue: 1 << 5)
    /// Spectrum management, as radar channels need.
    public static let spectrumManagement = CapabilityInformation(rawValue: 1 << 8)
    /// Priorities by the standard's own element (WMM has one of its own).
    public static let qos = CapabilityInformation(rawValue: 1 << 9)
    /// 802.11g's short slot.
    public static let shortSlotTime = CapabilityInformation(rawValue: 1 << 10)
}

/// An association or reassociation request's body in memory it only borrows (IEEE 802.11-2020, 9.3.3.5, 9.3.3.7).
public struct AssociationRequest: ~Escapable {
    /// What the station can do.
    public let capabilities: CapabilityInformation
    /// After how many beacons a dozing station listens again at the latest.
    public let listenInterval: UInt16
    /// In a reassociation, the access point the station is with so far.
    public let currentAccessPoint: MACAddress?
    /// The elements.
    public let elements: RawSpan

    /// Reads a body.
    /// - Parameters:
    ///   - body: what is after the management header.
    ///   - isReassociation: whether the frame is a reassociation request.
    /// - Throws: ``FrameError/truncated``.
    @_lifetime(copy body)
    public init(body: RawSpan, isReassociation: Bool) throws(FrameError) {
        var reader = ByteReader(body)
        guard let capabilities = reader.readLittleUInt16(), let listenInterval = reader.readLittleUInt16()
        else { throw .truncated }
        var current: MACAddress?
        if isReassociation {
            guard let address = reader.readMACAddress() else { throw .truncated }
            current = address
        }
        guard let elements = reader.readBytes(reader.remaining) else { throw .truncated }
        self.capabilities = CapabilityInformation(rawValue: capabilities)
        self.listenInterval = listenInterval
        currentAccessPoint = current
        self.elements = elements
    }

    /// Appends a body.
    public static func write(
        capabilities: CapabilityInformation, listenInterval: UInt16, currentAccessPoint: MACAddress? = nil,
        elements: some Collection<UInt8>, into writer: inout ByteWriter
    ) {
        writer.write(little: capabilities.rawValue)
        writer.write(little: listenInterval)
        if let currentAccessPoint { writer.write(currentAccessPoint) }
        writer.write(bytes: elements)
    }
}

/// An association or reassociation response's body in memory it only borrows (IEEE 802.11-2020, 9.3.3.6, 9.3.3.8).
public struct AssociationResponse: ~Escapable {
    /// What the access point can do.
    public let capabilities: CapabilityInformation
    /// What came of the request.
    public let status: StatusCode
    /// The station's number, 1 to 2007; 0 in a refusal.
    public let aid: UInt16
    /// The elements.
    public let elements: RawSpan

    /// Reads a body.
    /// - Parameter body: what is after the management header.
    /// - Throws: ``FrameError/truncated``.
    @_lifetime(copy body)
    public init(body: RawSpan) throws(FrameError) {
        var reader = ByteReader(body)
        guard let capabilities = reader.readLittleUInt16(), let status = reader.readLittleUInt16(),
            let aid = reader.readLittleUInt16(), let elements = reader.readBytes(reader.remaining)
        else { throw .truncated }
        self.capabilities = CapabilityInformation(rawValue: capabilities)
        self.status = StatusCode(rawValue: status)
        // The two high bits are always set on the air (9.4.1.8).
        self.aid = aid & 0x3FFF
        self.elements = elements
    }

    /// Appends a body.
    /// - Parameters:
    ///   - capabilities: what the access point can do.
    ///   - status: what came of the request.
    ///   - aid: the station's number, 1 to 2007; 0 in a refusal.
    ///   - elements: the elements.
    ///   - writer: gets the body appended.
    public static func write(
        capabilities: CapabilityInformation, status: StatusCode, aid: UInt16, elements: some Collection<UInt8>,
        into writer: inout ByteWriter
    ) {
        writer.write(little: capabilities.rawValue)
        writer.write(little: status.rawValue)
        writer.write(little: aid == 0 ? 0 : aid | 0xC000)
        writer.write(bytes: elements)
    }
}

/// The body of a deauthentication or disassociation (IEEE 802.11-2020, 9.3.3.4, 9.3.3.12).
public struct Deauthentication: Hashable, Sendable {
    /// Why it was sent.
    public var reason: ReasonCode

    /// Makes a body.
    public init(reason: ReasonCode) { self.reason = reason }

    /// Reads a body.
    /// - Parameter body: what is after the management header.
    /// - Throws: ``FrameError/truncated``.
    public init(body: RawSpan) throws(FrameError) {
        var reader = ByteReader(body)
        guard let reason = reader.readLittleUInt16() else { throw .truncated }
        self.reason = ReasonCode(rawValue: reason)
    }

    /// Appends the body.
    public func write(into writer: inout ByteWriter) { writer.write(little: reason.rawValue) }
}

/// The timeout interval element: with status 30, when a refused station may come back (IEEE 802.11-2020, 9.4.2.48).
public enum TimeoutInterval {
    /// A time unit in microseconds (IEEE 802.11-2020, 3.1).
    public static let timeUnitMicroseconds = 1024

    /// Appends the element.
    /// - Parameters:
    ///   - timeUnits: the time to wait, in units of 1.024 ms.
    ///   - writer: gets the element appended.
    public static func writeAssociationComeback(timeUnits: UInt32, into writer: inout ByteWriter) {
        var body = ByteWriter(capacity: 5)
        body.write(UInt8(3))
        body.write(little: timeUnits)
        writer.write(element: .timeoutInterval, body: body.bytes)
    }
}
