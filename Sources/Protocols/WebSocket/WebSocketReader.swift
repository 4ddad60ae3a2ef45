import Wire

/// Reads the frames of a client's WebSocket (RFC 6455), in whatever pieces they come.
///
/// What it keeps between two reads is no more than has come: the beginning of a frame, and of a message in several
/// frames. When nothing is under way it holds no memory.
public struct WebSocketReader: Sendable {
    /// Bytes of a message at most.
    public let maximumMessageBytes: Int

    /// A frame whose end has not come yet, as it came.
    private var beginning: [UInt8] = []
    /// A message whose last piece has not come yet.
    private var message: (isText: Bool, bytes: [UInt8])?
    /// Whether the last event has been told.
    private var hasEnded = false

    /// Makes a reader at the first byte after the opening handshake.
    /// - Parameter maximumMessageBytes: bytes of a message at most; an announcement of more is refused at once.
    public init(maximumMessageBytes: Int) {
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// Takes bytes that have come.
    /// - Parameters:
    ///   - bytes: the next bytes, however many.
    ///   - output: gets what they complete, behind what it holds already. After a close frame or a failure nothing
    ///     comes any more.
    public mutating func read(_ bytes: RawSpan, into output: inout WebSocketEvents) {
        guard !hasEnded else { return }
        do throws(WebSocketFailure) {
            var offset = try complete(with: bytes, &output)
            while offset < bytes.byteCount, !hasEnded {
                let rest = bytes.extracting(offset..<bytes.byteCount)
                guard let header = try header(of: rest),
                    rest.byteCount &- header.byteCount >= header.payloadByteCount
                else {
                    beginning = rest.copied
                    return
                }
                try take(header, in: rest, &output)
                offset += header.byteCount + header.payloadByteCount
            }
        } catch {
            hasEnded = true
            beginning = []
            message = nil
            output.events.append(.failed(error))
        }
    }

    /// Adds what a frame that has begun lacks, and takes it once it is whole.
    /// - Returns: how many of the bytes belonged to it.
    private mutating func complete(
        with bytes: RawSpan, _ output: inout WebSocketEvents
    ) throws(WebSocketFailure) -> Int {
        guard !beginning.isEmpty else { return 0 }
        var offset = 0
        while true {
            if let header = try header(of: beginning.span.bytes) {
                let missing = header.byteCount + header.payloadByteCount - beginning.count
                let piece = bytes.extracting(offset..<min(offset + missing, bytes.byteCount))
                piece.withUnsafeBytes { beginning.append(contentsOf: $0) }
                guard piece.byteCount == missing else { return bytes.byteCount }
                let frame = beginning
                beginning = []
                try take(header, in: frame.span.bytes, &output)
                return offset + missing
            }
            // A header has a few bytes, so they are taken one by one until it is whole.
            guard offset < bytes.byteCount else { return offset }
            beginning.append(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
    }

    /// Reads a header, and refuses a frame that has no place here.
    /// - Returns: nil when its end has not come yet.
    private func header(of bytes: RawSpan) throws(WebSocketFailure) -> WebSocketFrameHeader? {
        guard let header = try WebSocketFrameHeader(parsing: bytes) else { return nil }
        guard header.mask != nil else { throw .unmaskedFrame }
        switch header.opcode {
        case .continuation:
            guard let message else { throw .misplacedFragment }
            guard header.payloadByteCount <= maximumMessageBytes - message.bytes.count else {
                throw .messageTooBig(limit: maximumMessageBytes)
            }
        case .text, .binary:
            guard message == nil else { throw .misplacedFragment }
            guard header.payloadByteCount <= maximumMessageBytes else {
                throw .messageTooBig(limit: maximumMessageBytes)
            }
        case .ping, .pong, .close: break
        }
        return header
    }

    /// Takes a whole frame.
    private mutating func take(
        _ header: WebSocketFrameHeader, in frame: RawSpan, _ output: inout WebSocketEvents
    ) throws(WebSocketFailure) {
        let start = header.byteCount
        let (range, isASCII) = output.append(
            frame.extracting(start..<start + header.payloadByteCount), mask: header.mask ?? 0)
        switch header.opcode {
        case .text where header.isFinal:
            guard isASCII || output.isUTF8(range) else { throw .invalidUTF8 }
            output.events.append(.text(range))
        case .binary where header.isFinal:
            output.events.append(.binary(range))
        case .text, .binary:
            message = (header.opcode == .text, output.bytes(range).copied)
            output.removeLast(range)
        case .continuation:
            try continueMessage(with: range, isFinal: header.isFinal, &output)
        case .ping:
            output.events.append(.ping(range))
        case .pong:
            output.events.append(.pong(range))
        case .close:
            output.events.append(.close(try closeCode(range, output), payload: range))
            hasEnded = true
            message = nil
        }
    }

    /// Adds a piece to the message that is under way.
    private mutating func continueMessage(
        with piece: Range<Int>, isFinal: Bool, _ output: inout WebSocketEvents
    ) throws(WebSocketFailure) {
        output.bytes(piece).withUnsafeBytes { message?.bytes.append(contentsOf: $0) }
        output.removeLast(piece)
        guard isFinal, let (isText, bytes) = message else { return }
        message = nil
        let range = output.append(bytes)
        guard !isText || output.isUTF8(range) else { throw .invalidUTF8 }
        output.events.append(isText ? .text(range) : .binary(range))
    }

    /// The code of a close frame: nothing, or two octets and a reason in UTF-8 (section 5.5.1).
    private func closeCode(
        _ payload: Range<Int>, _ output: WebSocketEvents
    ) throws(WebSocketFailure) -> WebSocketCloseCode? {
        guard !payload.isEmpty else { return nil }
        var reader = ByteReader(output.bytes(payload))
        guard let code = reader.readUInt16().map(WebSocketCloseCode.init), code.isSendable else {
            throw .malformedClose
        }
        guard output.isUTF8(payload.dropFirst(2)) else { throw .invalidUTF8 }
        return code
    }
}

extension WebSocketEvents {
    /// Whether bytes are UTF-8 as RFC 3629 has it.
    func isUTF8(_ range: Range<Int>) -> Bool {
        bytes(range).withUnsafeBytes { String(validating: $0, as: UTF8.self) != nil }
    }
}
