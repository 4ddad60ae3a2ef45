import STUN
import Wire

extension FuzzTarget {
    /// Parses a message, reads every attribute in every way, and writes it anew.
    static let stun = FuzzTarget("stun") { input in
        let message: STUNMessage
        do { message = try STUNMessage(input.span.bytes) } catch { return }
        _ = message.isIntact(key: key)
        _ = message.isIntactSHA256(key: key)
        _ = message.isFingerprintValid

        var copy = STUNWriter(message.messageClass, message.method, message.transactionID)
        var attributes = message.attributes
        var count = 0
        while let attribute = attributes.next() {
            count += 1
            read(attribute, of: message.transactionID)
            let end = attribute.valueOffset + attribute.value.byteCount
            try always(end <= input.count, "attribute \(count) lies outside of the message")
            copy.append(attribute.type, attribute.value)
        }
        try always(!copy.isFull, "what was one message does not fit into one")
        let copied = Array(copy.bytes)
        try always(copied.count == input.count, "the copy has \(copied.count) bytes, the message \(input.count)")
        let again = try STUNMessage(copied.span.bytes)
        var others = again.attributes
        attributes = message.attributes
        while let attribute = attributes.next() {
            guard let other = others.next() else { throw FuzzFinding("the copy has fewer attributes") }
            try always(
                attribute.type == other.type && attribute.value.elementsEqual(other.value.copied),
                "the copy has another attribute")
        }

        // A sealed copy proves itself, unless something stands in front of the seal that ends what counts.
        guard !message.hasIntegrity, !message.hasIntegritySHA256, !message.hasFingerprint, input.count < 60_000 else {
            return
        }
        copy.appendIntegrity(key: key)
        copy.appendIntegritySHA256(key: key)
        copy.appendFingerprint()
        let sealedBytes = Array(copy.bytes)
        let sealed = try STUNMessage(sealedBytes.span.bytes)
        try always(sealed.isIntact(key: key), "MESSAGE-INTEGRITY of our own is not accepted")
        try always(sealed.isIntactSHA256(key: key), "MESSAGE-INTEGRITY-SHA256 of our own is not accepted")
        try always(sealed.isFingerprintValid, "FINGERPRINT of our own is not accepted")
    }

    private static let key = STUNKey(shortTerm: "a password of the fuzzer")

    private static func read(_ attribute: borrowing STUNAttribute, of transaction: TransactionID) {
        _ = attribute.leadingOctet
        _ = attribute.uint32
        _ = attribute.uint64
        _ = attribute.channelNumber
        _ = attribute.text
        _ = attribute.address
        _ = attribute.xorAddress(transaction)
        _ = attribute.errorCode?.reason
        _ = attribute.errorReason
        _ = attribute.attributeTypes
        _ = attribute.passwordAlgorithms
    }
}
