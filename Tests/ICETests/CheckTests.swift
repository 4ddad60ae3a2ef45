import ICE
import STUN
import TestSupport
import Testing
import Wire

/// A check as a full agent writes it.
struct CheckText {
    var messageClass = STUNClass.request
    var method = STUNMethod.binding
    var username: String? = "boxfrag1:phone"
    var password: String? = "boxpasswordboxpasswordxx"
    var isNominating = false
    var isControlled = false
    var unknown: [UInt16] = []
    var hasFingerprint = true

    var bytes: [UInt8] {
        var writer = STUNWriter(messageClass, method, TransactionID(high: 7, low: 8))
        if let username { writer.append(.username, text: username) }
        writer.append(.priority, uint32: 1_853_817_087)
        writer.append(isControlled ? .iceControlled : .iceControlling, uint64: 99)
        if isNominating { writer.append(.useCandidate) }
        for type in unknown { writer.append(STUNAttributeType(rawValue: type), uint32: 1) }
        if let password { writer.appendIntegrity(key: STUNKey(shortTerm: password)) }
        if hasFingerprint { writer.appendFingerprint() }
        return Array(writer.bytes)
    }
}

@Suite("Checks")
struct CheckTests {
    private let key = STUNKey(shortTerm: "boxpasswordboxpasswordxx")
    private let phone = TransportAddress(.v4(0xC0A8_0105), port: 50_000)

    @Test("A check tells whom it is for, from whom, with which priority, and whether it nominates")
    func valid() throws {
        var text = CheckText()
        text.isNominating = true
        let bytes = text.bytes
        let check = try ICECheck(bytes.span.bytes)
        #expect(check.localFragment.copied == Array("boxfrag1".utf8))
        #expect(check.remoteFragment.copied == Array("phone".utf8))
        #expect(check.priority == 1_853_817_087)
        #expect(check.isNominating == true)
        #expect(check.isFromControlled == false)
        #expect(check.refusal(key: key) == nil)
    }

    @Test("The sample request of RFC 5769 is read, and refused since a lite agent never controls")
    func vector() throws {
        let bytes: [UInt8] = [
            0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
            0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
            0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
            0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
            0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
            0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
        ]
        let check = try ICECheck(bytes.span.bytes)
        #expect(check.localFragment.copied == Array("evtj".utf8))
        #expect(check.remoteFragment.copied == Array("h6vY".utf8))
        #expect(check.priority == 0x6e00_01ff)
        #expect(check.refusal(key: STUNKey(shortTerm: "VOkJxbRl1RmTxUk/WvJxBt")) == .roleConflict)
        #expect(check.refusal(key: key) == .unauthenticated)
    }

    @Test("What is missing or wrong is refused with the code RFC 8489 wants")
    func refusals() throws {
        func refusal(_ change: (inout CheckText) -> Void) throws -> STUNErrorCode? {
            var text = CheckText()
            change(&text)
            let bytes = text.bytes
            return try ICECheck(bytes.span.bytes).refusal(key: key)
        }
        #expect(try refusal { $0.username = nil } == .badRequest)
        #expect(try refusal { $0.username = "boxfrag1" } == .badRequest)
        #expect(try refusal { $0.username = ":phone" } == .badRequest)
        #expect(try refusal { $0.username = "boxfrag1:" } == .badRequest)
        #expect(try refusal { $0.password = nil } == .badRequest)
        #expect(try refusal { $0.password = "some other password" } == .unauthenticated)
        #expect(try refusal { $0.unknown = [0x7001] } == .unknownAttribute)
        #expect(try refusal { $0.unknown = [0x8001, 0xC057] } == nil)
        #expect(try refusal { $0.isControlled = true } == .roleConflict)
        // Wrong integrity is told before anything it might reveal.
        #expect(
            try refusal {
                $0.password = "some other password"
                $0.unknown = [0x7001]
            } == .unauthenticated)
        let bytes = CheckText().bytes
        #expect(try ICECheck(bytes.span.bytes).refusal(key: nil) == .unauthenticated)
    }

    @Test("What is no request for a binding is no check")
    func others() {
        func error(_ change: (inout CheckText) -> Void) -> ICECheckError? {
            var text = CheckText()
            change(&text)
            let bytes = text.bytes
            do throws(ICECheckError) {
                _ = try ICECheck(bytes.span.bytes)
                return nil
            } catch { return error }
        }
        #expect(error { $0.hasFingerprint = false } == .malformed)
        #expect(error { $0.messageClass = .indication } == .keepalive)
        #expect(error { $0.messageClass = .success } == .unexpected)
        #expect(error { $0.messageClass = .error } == .unexpected)
        #expect(error { $0.method = .allocate } == .unexpected)
        #expect(error { _ in } == nil)
    }

    @Test("A check cut short anywhere, or with any bit flipped, is never valid")
    func damage() {
        let bytes = CheckText().bytes
        func isValid(_ bytes: [UInt8]) -> Bool {
            do throws(ICECheckError) {
                return try ICECheck(bytes.span.bytes).refusal(key: key) == nil
            } catch { return false }
        }
        #expect(isValid(bytes))
        for count in 0..<bytes.count { #expect(!isValid(Array(bytes[..<count])), "cut at \(count)") }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!isValid(damaged), "bit \(bit)")
        }
    }

    @Test("The answer names the sender's address and is protected by the same key")
    func success() throws {
        let bytes = CheckText().bytes
        let check = try ICECheck(bytes.span.bytes)
        let answer = ICEAnswer.success(to: check, from: phone, key: key, appendingTo: ByteWriter()).bytes
        let message = try STUNMessage(answer.span.bytes)
        #expect(message.messageClass == .success)
        #expect(message.method == .binding)
        #expect(message.transactionID == TransactionID(high: 7, low: 8))
        #expect(message.first(.xorMappedAddress)?.xorAddress(message.transactionID) == phone)
        #expect(message.isIntact(key: key) == true)
        #expect(message.isFingerprintValid == true)
    }

    @Test("A refusal is never longer than what it refuses, and protected once the sender has proven itself")
    func refusalAnswers() throws {
        var text = CheckText()
        text.unknown = (0..<20).map { 0x7001 + $0 }
        let long = text.bytes
        let check = try ICECheck(long.span.bytes)
        let answer = ICEAnswer.refusal(of: check, .unknownAttribute, key: key, appendingTo: ByteWriter()).bytes
        #expect(answer.count < long.count)
        let message = try STUNMessage(answer.span.bytes)
        #expect(message.messageClass == .error)
        #expect(message.first(.errorCode)?.errorCode == .unknownAttribute)
        #expect(message.first(.unknownAttributes)?.attributeTypes?.first == STUNAttributeType(rawValue: 0x7001))
        #expect(message.isIntact(key: key) == true)

        let open = ICEAnswer.refusal(of: check, .unauthenticated, key: nil, appendingTo: ByteWriter()).bytes
        let refusal = try STUNMessage(open.span.bytes)
        #expect(refusal.hasIntegrity == false)
        #expect(refusal.isFingerprintValid == true)
        #expect(refusal.first(.errorCode)?.errorCode == .unauthenticated)
    }

    @Test("Credentials have the lengths and characters of RFC 8839")
    func credentials() {
        let password = String(repeating: "p", count: 22)
        #expect(ICECredentials(fragment: "abcd", password: password) != nil)
        #expect(ICECredentials(fragment: "libp2p+webrtc+v1/Ab9", password: password) != nil)
        #expect(ICECredentials(fragment: "abc", password: password) == nil)
        #expect(ICECredentials(fragment: String(repeating: "a", count: 257), password: password) == nil)
        #expect(ICECredentials(fragment: "abcd", password: String(repeating: "p", count: 21)) == nil)
        #expect(ICECredentials(fragment: "ab:d", password: password) == nil)
        #expect(ICECredentials(fragment: "abcd", password: "\u{e9}" + password) == nil)
    }
}
