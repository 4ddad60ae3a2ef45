import Wire

/// The protection of a session's records, both ways, in epoch 1, the only one after the handshake.
struct Protection: ~Copyable {
    private static let epoch: UInt64 = 1 << 48
    /// RFC 6347 section 4.1: sequence numbers must not wrap.
    private static let maximumSequence: UInt64 = 1 << 48 - 1

    private let sealer: RecordCipher
    private let opener: RecordCipher
    private var nextSequence: UInt64 = 0
    private var window = ReplayWindow()

    /// Octets that protection adds to the content of a record, its head included.
    var overhead: Int { RecordHeader.size + sealer.overhead }
    /// Whether no number is left to seal a record with.
    var isExhausted: Bool { nextSequence > Self.maximumSequence }

    init(_ keys: SessionKeys, _ algorithms: borrowing Algorithms) throws(DTLSError) {
        let sealer = try RecordCipher(keys.suite, keys.own, seals: true, algorithms)
        let opener = try RecordCipher(keys.suite, keys.peer, seals: false, algorithms)
        self.sealer = sealer
        self.opener = opener
    }

    /// Appends a record to `output`.
    /// - Returns: false, with nothing appended, when OpenSSL fails or no number is left.
    mutating func seal(type: UInt8, _ content: UnsafeRawBufferPointer, into output: inout [UInt8]) -> Bool {
        guard !isExhausted else { return false }
        // The number is spent even if sealing fails.
        defer { nextSequence += 1 }
        return sealer.seal(type: type, number: Self.epoch | nextSequence, content, into: &output)
    }

    /// What became of a record.
    enum Opened { case fresh, repeated, refused }

    /// Appends the content of an authentic record to `output`. Repeated ones are opened only if they are of the handshake.
    mutating func open(_ header: RecordHeader, _ body: RawSpan, into output: inout [UInt8]) -> Opened {
        let isFresh = window.admits(header.number)
        guard header.version == RecordHeader.version, isFresh || header.type == ContentType.handshake,
            opener.open(header, body, into: &output)
        else { return .refused }
        guard isFresh else { return .repeated }
        window.note(header.number)
        return .fresh
    }
}
