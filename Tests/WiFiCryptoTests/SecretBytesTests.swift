import TestSupport
import Testing

@testable import WiFiCrypto

@Suite struct SecretBytesTests {
    @Test("Holds what it was given, and parts of it")
    func content() {
        let secret = SecretBytes([1, 2, 3, 4])
        #expect(secret.count == 4)
        #expect(secret.withUnsafeBytes { [UInt8]($0) } == [1, 2, 3, 4])
        #expect(secret[1..<3] == SecretBytes([2, 3]))
        #expect(secret[2..<99] == SecretBytes([3, 4]))
        #expect(SecretBytes([UInt8]()).count == 0)
        #expect(SecretBytes([UInt8]()) == SecretBytes([UInt8]()))
        #expect(SecretBytes([1, 2]) != SecretBytes([1, 3]))
        #expect(SecretBytes([1, 2]) != SecretBytes([1, 2, 0]))
    }

    @Test("Text and mirrors tell nothing of it")
    func silence() {
        let secret = SecretBytes([0xab, 0xcd])
        #expect("\(secret)" == "2 secret octets")
        #expect(String(reflecting: secret) == "2 secret octets")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test("Drawn from the generator, every octet")
    func random() {
        var generator = SeededGenerator(seed: 1)
        let drawn = (0..<64).map { _ in SecretBytes(randomCount: 32, using: &generator) }
        for position in 0..<32 {
            #expect(Set(drawn.map { $0.withUnsafeBytes { $0[position] } }).count > 32)
        }
    }
}
