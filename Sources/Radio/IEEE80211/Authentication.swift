public import Wire

/// How an authentication frame authenticates (IEEE 802.11-2020, 9.4.1.1). Unknown values are kept.
public struct AuthenticationAlgorithm: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt16

    /// Makes an algorithm of its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Open system: no secret is shown, WPA2 does that after the association.
    public static let openSystem = AuthenticationAlgorithm(rawValue: 0)
    /// Shared key, of WEP. Broken; known so that it can be refused by name.
    public static let sharedKey = AuthenticationAlgorithm(rawValue: 1)
    /// Fast BSS transition.
    public static let fastTransition = AuthenticationAlgorithm(rawValue: 2)
    /// Simultaneous authentication of equals.
    public static let sae = AuthenticationAlgorithm(rawValue: 3)
}

/// An authentication frame's body in memory it only borrows (IEEE 802.11-2020, 9.3.3.11).
public struct AuthenticationFrame: ~Escapable {
    /// How it authenticates.
    public let algorithm: AuthenticationAlgorithm
    /// Which step it is, from 1; with SAE 1 is a commit and 2 a confirm.
    public let transaction: UInt16
    /// What came of it so far. A request says success; SAE has its own uses.
    public let status: StatusCode
    /// What is after the status: fields of the algorithm and elements.
    public let rest: RawSpan

    /// Reads a body.
    /// - Parameter body: what is after the management header.
    /// - Throws: ``FrameError/truncated``.
    @_lifetime(copy body)
    public init(body: RawSpan) throws(FrameError) {
        var reader = ByteReader(body)
        guard let algorithm = reader.readLittleUInt16(), let transaction = reader.readLittleUInt16(),
            let status = reader.readLittleUInt16(), let rest = reader.readBytes(reader.remaining)
        else { throw .truncated }
        self.algorithm = AuthenticationAlgorithm(rawValue: algorithm)
        self.transaction = transaction
        self.status = StatusCode(rawValue: status)
        self.rest = rest
    }

    /// Appends a body.
    /// - Parameters:
    ///   - algorithm: how it authenticates.
    ///   - transaction: which step it is.
    ///   - status: what came of it.
    ///   - rest: fields of the algorithm and elements.
    ///   - writer: gets the body appended.
    public static func write(
        algorithm: AuthenticationAlgorithm, transaction: UInt16, status: StatusCode, rest: some Collection<UInt8> = [],
        into writer: inout ByteWriter
    ) {
        writer.write(little: algorithm.rawValue)
        writer.write(little: transaction)
        writer.write(little: status.rawValue)
        writer.write(bytes: rest)
    }
}
