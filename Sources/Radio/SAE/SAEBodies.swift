import IEEE80211
public import WiFiCrypto
public import Wire

/// What follows the status in a commit, in memory it only borrows, nothing of it checked but its form (IEEE 802.11-2020,
/// 9.3.3.11 and 9.4.1.37 to 9.4.1.42).
public struct SAECommitBody: ~Escapable {
    /// The finite cyclic group of IEEE 802.11-2020, 12.4.4.1 that is spoken here: P-256.
    public static let group: UInt16 = 19
    /// Octets of a commit on this group that has nothing but group, scalar and element.
    public static let size = 2 + 3 * P256.octets

    /// The finite cyclic group. Of another one than ``group`` nothing else is read.
    public let group: UInt16
    /// The scalar's octets.
    public let scalar: RawSpan
    /// The element's octets: x, then y.
    public let element: RawSpan
    /// The anti-clogging token, empty when there is none.
    public let token: RawSpan
    /// The rejected groups, two octets each, the low one first; empty when there are none.
    public let rejectedGroups: RawSpan
    /// Whether there is a password identifier.
    public let hasPasswordIdentifier: Bool

    /// Reads a body.
    /// - Parameters:
    ///   - body: what follows the status.
    ///   - method: how the sender found the password element; it tells where a token is.
    ///   - tokenLength: octets of a token with hunting-and-pecking, where it stands between group and scalar with no sign
    ///     that it is there; 0 for none.
    /// - Returns: nil when it is not of this form.
    @_lifetime(copy body)
    public init?(_ body: RawSpan, method: SAEMethod, tokenLength: Int) {
        var reader = ByteReader(body)
        guard let group = reader.readUInt16()?.byteSwapped, var token = reader.readBytes(0) else { return nil }
        self.group = group
        var rejectedGroups = token
        var hasPasswordIdentifier = false
        guard group == Self.group else {
            scalar = token
            element = token
            self.token = token
            self.rejectedGroups = rejectedGroups
            self.hasPasswordIdentifier = false
            return
        }
        if method == .huntingAndPecking {
            guard let run = reader.readBytes(tokenLength) else { return nil }
            token = run
        }
        guard let scalar = reader.readBytes(P256.octets), let element = reader.readBytes(2 * P256.octets),
            let rest = reader.readBytes(reader.remaining)
        else { return nil }
        var elements = ElementReader(rest)
        while let element = elements.next() {
            switch element.extensionID {
            case .antiCloggingToken where method == .hashToElement: token = element.body
            case .rejectedGroups where method == .hashToElement: rejectedGroups = element.body
            case .passwordIdentifier: hasPasswordIdentifier = true
            default: break
            }
        }
        guard !elements.isMalformed, rejectedGroups.byteCount % 2 == 0 else { return nil }
        self.scalar = scalar
        self.element = element
        self.token = token
        self.rejectedGroups = rejectedGroups
        self.hasPasswordIdentifier = hasPasswordIdentifier
    }

    /// Whether a group is among the rejected ones.
    public func rejects(_ group: UInt16) -> Bool {
        var reader = ByteReader(rejectedGroups)
        while let rejected = reader.readUInt16()?.byteSwapped {
            if rejected == group { return true }
        }
        return false
    }

    /// Appends a commit.
    /// - Parameters:
    ///   - share: scalar and element.
    ///   - method: how the password element was found.
    ///   - token: the token that the other side asked for; empty for none.
    ///   - rejectedGroups: the groups that the other side refused before; only with hash-to-element.
    ///   - writer: gets the body appended.
    public static func write(
        _ share: SAEShare, method: SAEMethod, token: [UInt8] = [], rejectedGroups: [UInt16] = [],
        into writer: inout ByteWriter
    ) {
        writer.write(group.byteSwapped)
        if method == .huntingAndPecking { writer.write(bytes: token) }
        writer.write(share.scalar.secret.bytes)
        writer.write(share.element.secret.bytes)
        guard method == .hashToElement else { return }
        if !rejectedGroups.isEmpty {
            let octets = rejectedGroups.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            writer.write(element: .rejectedGroups, body: octets)
        }
        if !token.isEmpty { writer.write(element: .antiCloggingToken, body: token) }
    }

    /// Appends what answers a commit that must come again with a token (12.4.6).
    /// - Parameters:
    ///   - token: the token.
    ///   - method: how the sender of the commit found the password element.
    ///   - writer: gets the body appended.
    static func write(tokenRequest token: SecretBytes, method: SAEMethod, into writer: inout ByteWriter) {
        writer.write(group.byteSwapped)
        let octets = token.withUnsafeBytes { [UInt8]($0) }
        switch method {
        case .huntingAndPecking: writer.write(bytes: octets)
        case .hashToElement: writer.write(element: .antiCloggingToken, body: octets)
        }
    }
}

/// What follows the status in a confirm (IEEE 802.11-2020, 9.3.3.11).
public struct SAEConfirmBody: Sendable, Equatable {
    /// How often its sender has sent one; 65,535 once it has accepted.
    public var counter: UInt16
    /// The proof that its sender knows the password.
    public var code: SecretBytes

    /// Makes a confirm.
    public init(counter: UInt16, code: SecretBytes) {
        self.counter = counter
        self.code = code
    }

    /// Reads a body; nil when it is too short. Elements behind it are passed over.
    public init?(_ body: RawSpan) {
        var reader = ByteReader(body)
        guard let counter = reader.readUInt16()?.byteSwapped, let code = reader.readBytes(32) else { return nil }
        self.counter = counter
        self.code = SecretBytes(code)
    }

    /// Appends the body.
    public func write(into writer: inout ByteWriter) {
        writer.write(counter.byteSwapped)
        writer.write(code.bytes)
    }
}
