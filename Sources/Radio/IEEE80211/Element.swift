public import Wire

/// The number that says what an element is (IEEE 802.11-2020, Table 9-92). Unknown values are kept.
public struct ElementID: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt8

    /// Makes an identifier of its number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The network's name (9.4.2.2).
    public static let ssid = ElementID(rawValue: 0)
    /// Up to eight rates (9.4.2.3).
    public static let supportedRates = ElementID(rawValue: 1)
    /// The channel (9.4.2.4).
    public static let dsParameter = ElementID(rawValue: 3)
    /// Who has frames waiting (9.4.2.5); the driver writes it.
    public static let trafficIndicationMap = ElementID(rawValue: 5)
    /// Country, channels and power (9.4.2.8).
    public static let country = ElementID(rawValue: 7)
    /// How 802.11g protects itself from 802.11b (9.4.2.11).
    public static let erp = ElementID(rawValue: 42)
    /// HT capabilities (9.4.2.55).
    public static let htCapabilities = ElementID(rawValue: 45)
    /// RSN: ciphers and AKMs (9.4.2.24).
    public static let rsn = ElementID(rawValue: 48)
    /// The rates beyond the first eight (9.4.2.12).
    public static let extendedSupportedRates = ElementID(rawValue: 50)
    /// A time: with status 30, when to come back (9.4.2.48).
    public static let timeoutInterval = ElementID(rawValue: 56)
    /// HT operation (9.4.2.56).
    public static let htOperation = ElementID(rawValue: 61)
    /// How long a station may be silent (9.4.2.78).
    public static let bssMaxIdlePeriod = ElementID(rawValue: 90)
    /// Extended capabilities (9.4.2.26).
    public static let extendedCapabilities = ElementID(rawValue: 127)
    /// VHT capabilities (9.4.2.157).
    public static let vhtCapabilities = ElementID(rawValue: 191)
    /// VHT operation (9.4.2.158).
    public static let vhtOperation = ElementID(rawValue: 192)
    /// A vendor's own (9.4.2.25).
    public static let vendor = ElementID(rawValue: 221)
    /// RSN extension (9.4.2.241).
    public static let rsnExtension = ElementID(rawValue: 244)
    /// The identifier's second octet says what it is (9.4.2.1).
    public static let `extension` = ElementID(rawValue: 255)
}

/// The second octet of the identifier of elements with ID 255 (IEEE 802.11-2020, Table 9-92). Unknown values are kept.
public struct ElementExtensionID: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt8

    /// Makes an identifier of its number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// SAE password identifier (9.4.2.216).
    public static let passwordIdentifier = ElementExtensionID(rawValue: 33)
    /// HE capabilities (IEEE 802.11ax-2021, 9.4.2.248).
    public static let heCapabilities = ElementExtensionID(rawValue: 35)
    /// HE operation (IEEE 802.11ax-2021, 9.4.2.249).
    public static let heOperation = ElementExtensionID(rawValue: 36)
    /// Groups that SAE rejected (9.4.2.246).
    public static let rejectedGroups = ElementExtensionID(rawValue: 92)
    /// SAE's anti-clogging token, with hash-to-element (9.4.2.247).
    public static let antiCloggingToken = ElementExtensionID(rawValue: 93)
}

/// One element: its identifier, and its body in memory it only borrows (IEEE 802.11-2020, 9.4.2.1).
public struct Element: ~Escapable {
    /// What it is.
    public let id: ElementID
    /// What it is, when ``id`` is ``ElementID/extension``.
    public let extensionID: ElementExtensionID?
    /// What is after the length, and after the extended identifier if there is one.
    public let body: RawSpan

    @_lifetime(copy body)
    init(id: ElementID, extensionID: ElementExtensionID?, body: RawSpan) {
        self.id = id
        self.extensionID = extensionID
        self.body = body
    }
}

/// Reads elements one after another from memory it only borrows.
public struct ElementReader: ~Escapable {
    private var reader: ByteReader
    /// Whether the bytes ended within an element, or an element with ID 255 had no second octet.
    public private(set) var isMalformed = false

    /// Makes a reader at the first element.
    /// - Parameter bytes: elements, and nothing else.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        reader = ByteReader(bytes)
    }

    /// The next element; nil at the end, or where they can be read no further, which ``isMalformed`` tells.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> Element? {
        guard !isMalformed, reader.remaining > 0 else { return nil }
        guard let id = reader.readUInt8(), let length = reader.readUInt8(), let body = reader.readBytes(Int(length))
        else {
            isMalformed = true
            return nil
        }
        guard id == ElementID.extension.rawValue else {
            return Element(id: ElementID(rawValue: id), extensionID: nil, body: body)
        }
        guard body.byteCount > 0 else {
            isMalformed = true
            return nil
        }
        return Element(
            id: .extension,
            extensionID: ElementExtensionID(rawValue: body.unsafeLoad(fromByteOffset: 0, as: UInt8.self)),
            body: body.extracting(droppingFirst: 1))
    }

    /// The body of the first element with an identifier; nil when there is none.
    /// - Parameters:
    ///   - id: what is sought; not ``ElementID/extension``.
    ///   - elements: elements, and nothing else.
    @_lifetime(copy elements)
    public static func first(_ id: ElementID, in elements: RawSpan) -> RawSpan? {
        var reader = ElementReader(elements)
        while let element = reader.next() {
            if element.id == id { return element.body }
        }
        return nil
    }

    /// The body of the first element with an extended identifier; nil when there is none.
    /// - Parameters:
    ///   - id: what is sought.
    ///   - elements: elements, and nothing else.
    @_lifetime(copy elements)
    public static func first(_ id: ElementExtensionID, in elements: RawSpan) -> RawSpan? {
        var reader = ElementReader(elements)
        while let element = reader.next() {
            if element.extensionID == id { return element.body }
        }
        return nil
    }
}

/// How long an element's body can be at most, in octets (the length is one octet).
public let maximumElementLength = 255

extension ByteWriter {
    /// Appends an element. A body that is longer than its length can say is cut, so that what follows stays readable.
    /// - Parameters:
    ///   - id: what it is.
    ///   - body: at most ``maximumElementLength`` octets.
    public mutating func write(element id: ElementID, body: some Collection<UInt8>) {
        let count = min(body.count, maximumElementLength)
        write(id.rawValue)
        write(UInt8(truncatingIfNeeded: count))
        write(bytes: body.prefix(count))
    }

    /// Appends an element with an extended identifier. A body that is too long is cut.
    /// - Parameters:
    ///   - id: what it is.
    ///   - body: at most ``maximumElementLength`` octets less one.
    public mutating func write(element id: ElementExtensionID, body: some Collection<UInt8>) {
        write(element: .extension, body: [id.rawValue] + body)
    }
}
