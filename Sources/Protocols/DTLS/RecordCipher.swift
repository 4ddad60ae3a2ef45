import COpenSSL
import Wire

/// Protects or opens the records of one direction (RFC 6347 section 4.1.2, RFC 5246 section 6.2.3.3).
///
/// OpenSSL's own record layer would keep some 40 kB for each session, most of them buffers of the handshake that it never
/// frees under DTLS; this keeps a cipher's context.
struct RecordCipher: ~Copyable {
    static let tagLength = 16

    private let context: Handle
    private let carriesNonce: Bool
    /// The first four octets of every nonce, and what the other eight are combined with.
    private let nonceHead: UInt32
    private let nonceMask: UInt64

    /// Octets that protection adds to a record's content.
    var overhead: Int { (carriesNonce ? 8 : 0) + Self.tagLength }

    /// Makes a cipher.
    /// - Parameter seals: whether it protects or opens.
    init(
        _ suite: CipherSuite, _ keys: SessionKeys.Direction, seals: Bool, _ algorithms: borrowing Algorithms
    ) throws(DTLSError) {
        let context = try Handle(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free, "EVP_CIPHER_CTX_new")
        try require(
            EVP_CipherInit_ex2(
                context.pointer, algorithms.cipher(of: suite), keys.key, nil, seals ? 1 : 0, nil),
            "EVP_CipherInit_ex2")
        self.context = context
        carriesNonce = suite.explicitNonceLength > 0
        var head: UInt32 = 0
        for byte in keys.fixedNonce.prefix(4) { head = head << 8 | UInt32(byte) }
        nonceHead = head
        var mask: UInt64 = 0
        for byte in keys.fixedNonce.dropFirst(4) { mask = mask << 8 | UInt64(byte) }
        nonceMask = mask
    }

    /// Appends a protected record to `output`.
    /// - Parameter number: epoch and sequence number, never used before.
    /// - Returns: false, with nothing appended, when OpenSSL fails.
    func seal(type: UInt8, number: UInt64, _ content: UnsafeRawBufferPointer, into output: inout [UInt8]) -> Bool {
        let start = output.count
        let length = content.count + overhead
        output.append(contentsOf: repeatElement(0, count: RecordHeader.size + length))
        let sealed = output.withUnsafeMutableBytes { buffer in
            let record = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            RecordHeader(type: type, number: number, length: length).write(to: record)
            var body = UnsafeMutableRawBufferPointer(rebasing: record[RecordHeader.size...])
            if carriesNonce {
                // RFC 5288 section 3 leaves the choice of the explicit part; the record's number is never used twice.
                body.storeBytes(of: number.bigEndian, as: UInt64.self)
                body = UnsafeMutableRawBufferPointer(rebasing: body[8...])
            }
            let tag = body.baseAddress?.advanced(by: content.count)
            return begin(type: type, number: number, nonce: nonceMask ^ number, length: content.count)
                && transform(content, to: body.baseAddress)
                && EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), tag) == 1
        }
        if !sealed {
            ERR_clear_error()
            output.removeLast(output.count - start)
        }
        return sealed
    }

    /// Appends the content of a protected record to `output`.
    /// - Parameters:
    ///   - header: the record's head.
    ///   - body: what is behind the head.
    /// - Returns: false, with nothing appended, when the record is not authentic.
    func open(_ header: RecordHeader, _ body: RawSpan, into output: inout [UInt8]) -> Bool {
        let length = body.byteCount - overhead
        guard length >= 0, length <= RecordHeader.maximumPlaintext else { return false }
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: length))
        let opened = body.withUnsafeBytes { body in
            output.withUnsafeMutableBytes { buffer in
                var nonce = nonceMask ^ header.number
                var content = body
                if carriesNonce {
                    nonce = UInt64(bigEndian: body.loadUnaligned(as: UInt64.self))
                    content = UnsafeRawBufferPointer(rebasing: body[8...])
                }
                let tag = UnsafeMutableRawPointer(mutating: content.baseAddress?.advanced(by: length))
                content = UnsafeRawBufferPointer(rebasing: content[..<length])
                return begin(type: header.type, number: header.number, nonce: nonce, length: length)
                    && EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag) == 1
                    && transform(content, to: buffer.baseAddress?.advanced(by: start))
            }
        }
        if !opened {
            ERR_clear_error()
            output.removeLast(length)
        }
        return opened
    }

    /// Sets the nonce and the additional data of a record: number, type, version, length of the content (RFC 5246 section
    /// 6.2.3.3, with the epoch as RFC 6347 section 4.1.2.1 has it).
    private func begin(type: UInt8, number: UInt64, nonce: UInt64, length: Int) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { scratch in
            scratch.storeBytes(of: nonceHead.bigEndian, as: UInt32.self)
            scratch.storeBytes(of: nonce.bigEndian, toByteOffset: 4, as: UInt64.self)
            scratch.storeBytes(of: number.bigEndian, toByteOffset: 16, as: UInt64.self)
            scratch[24] = type
            scratch.storeBytes(of: RecordHeader.version.bigEndian, toByteOffset: 25, as: UInt16.self)
            scratch.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 27, as: UInt16.self)
            let bytes = scratch.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var written: Int32 = 0
            // -1 leaves the direction as it is.
            return EVP_CipherInit_ex2(context.pointer, nil, nil, bytes, -1, nil) == 1
                && EVP_CipherUpdate(context.pointer, nil, &written, bytes?.advanced(by: 16), 13) == 1
        }
    }

    private func transform(_ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawPointer?) -> Bool {
        let output = output?.assumingMemoryBound(to: UInt8.self)
        let bytes = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var written: Int32 = 0
        // An update with no bytes would end the additional data in some versions of OpenSSL and fail in others.
        guard input.isEmpty || EVP_CipherUpdate(context.pointer, output, &written, bytes, Int32(input.count)) == 1
        else { return false }
        var rest: Int32 = 0
        return EVP_CipherFinal_ex(context.pointer, output?.advanced(by: Int(written)), &rest) == 1
    }
}
