public import STUN
public import Wire

/// What a lite agent answers to checks (RFC 8445 section 7.3).
public enum ICEAnswer {
    /// Answers a valid check.
    /// - Parameters:
    ///   - check: the check.
    ///   - source: where it came from.
    ///   - key: the key it was proven by, which protects the answer too (RFC 8489 section 9.1.4).
    ///   - buffer: the answer is appended to it and both are given back.
    public static func success(
        to check: borrowing ICECheck, from source: TransportAddress, key: STUNKey,
        appendingTo buffer: consuming ByteWriter
    ) -> ByteWriter {
        var writer = STUNWriter(.success, .binding, check.message.transactionID, appendingTo: buffer)
        writer.append(.xorMappedAddress, xorAddress: source)
        writer.appendIntegrity(key: key)
        writer.appendFingerprint()
        return writer.finish()
    }

    /// Refuses a check.
    /// - Parameters:
    ///   - check: the check.
    ///   - code: why.
    ///   - key: the key the check was proven by; without one the answer is unprotected (RFC 8489 section 9.1.3).
    ///   - buffer: the answer is appended to it and both are given back.
    public static func refusal(
        of check: borrowing ICECheck, _ code: STUNErrorCode, key: STUNKey?, appendingTo buffer: consuming ByteWriter
    ) -> ByteWriter {
        var writer = STUNWriter(.error, .binding, check.message.transactionID, appendingTo: buffer)
        // No reason phrase: nobody reads it, and an answer must not be longer than what it answers.
        writer.append(code, reason: "")
        if code == .unknownAttribute { writer.append(unknownAttributes: check.unknownAttributes) }
        if let key { writer.appendIntegrity(key: key) }
        writer.appendFingerprint()
        return writer.finish()
    }
}
