import IEEE80211
import SAE
import SAEClient
import TestSupport
import Testing
import WiFiCrypto
import Wire

@Suite struct BodyTests {
    /// A commit read, as copies.
    private struct Copy: Equatable {
        var group: UInt16
        var scalar: [UInt8]
        var element: [UInt8]
        var token: [UInt8]
        var rejectedGroups: [UInt8]
        var hasPasswordIdentifier: Bool
    }

    private func read(_ bytes: [UInt8], _ method: SAEMethod, tokenLength: Int = 0) -> Copy? {
        guard let body = SAECommitBody(bytes.span.bytes, method: method, tokenLength: tokenLength) else { return nil }
        return Copy(
            group: body.group, scalar: body.scalar.copied, element: body.element.copied, token: body.token.copied,
            rejectedGroups: body.rejectedGroups.copied, hasPasswordIdentifier: body.hasPasswordIdentifier)
    }

    private func share() throws -> SAEShare {
        var network = try TestNetwork()
        return try network.client(1).share
    }

    @Test("What is written is read again, with tokens and rejected groups", arguments: SAEMethod.allCases)
    func roundTrip(_ method: SAEMethod) throws {
        let share = try share()
        for token in [[], [UInt8](repeating: 0xA5, count: 32)] {
            for groups in [[], [20, 21]] as [[UInt16]] {
                var writer = ByteWriter()
                SAECommitBody.write(share, method: method, token: token, rejectedGroups: groups, into: &writer)
                let copy = try #require(read(writer.bytes, method, tokenLength: token.count))
                #expect(copy.group == 19)
                #expect(SecretBytes(copy.scalar) == share.scalar.secret)
                #expect(SecretBytes(copy.element) == share.element.secret)
                #expect(copy.token == token)
                let isTold = method == .hashToElement && !groups.isEmpty
                #expect(copy.rejectedGroups == (isTold ? [20, 0, 21, 0] : []))
            }
        }
    }

    @Test("Elements behind a commit are read, and those that are not known passed over", arguments: SAEMethod.allCases)
    func elements(_ method: SAEMethod) throws {
        var writer = ByteWriter()
        SAECommitBody.write(try share(), method: method, into: &writer)
        writer.write(element: .vendor, body: [1, 2, 3])
        #expect(read(writer.bytes, method)?.hasPasswordIdentifier == false)
        writer.write(element: .passwordIdentifier, body: [UInt8](repeating: 65, count: 29))
        let copy = try #require(read(writer.bytes, method))
        #expect(copy.hasPasswordIdentifier)
        #expect(copy.token.isEmpty)
        #expect(copy.scalar == Array(writer.bytes[2..<34]))
    }

    @Test("Every truncation is refused, unless it ends between two elements", arguments: SAEMethod.allCases)
    func truncations(_ method: SAEMethod) throws {
        var writer = ByteWriter()
        SAECommitBody.write(
            try share(), method: method, token: [UInt8](repeating: 9, count: 32), rejectedGroups: [20], into: &writer)
        let whole = writer.bytes
        // With hash-to-element: without any element, and with the rejected groups alone.
        let ends = method == .hashToElement ? [98, 98 + 5, whole.count] : [whole.count]
        for count in 0...whole.count {
            let copy = read(Array(whole[..<count]), method, tokenLength: 32)
            #expect((copy != nil) == ends.contains(count), "\(count) octets")
        }
    }

    @Test("Of another group only its number is read")
    func otherGroup() throws {
        let copy = try #require(read([20, 0, 1, 2, 3], .hashToElement))
        #expect(copy.group == 20)
        #expect(copy.scalar.isEmpty)
        #expect(copy.element.isEmpty)
    }

    @Test("Half a rejected group is malformed")
    func oddGroups() throws {
        var writer = ByteWriter()
        SAECommitBody.write(try share(), method: .hashToElement, into: &writer)
        writer.write(element: .rejectedGroups, body: [20, 0, 21])
        #expect(read(writer.bytes, .hashToElement) == nil)
    }

    @Test("A confirm")
    func confirm() throws {
        let confirm = SAEConfirmBody(counter: 0x1234, code: SecretBytes([UInt8](0..<32)))
        var writer = ByteWriter()
        confirm.write(into: &writer)
        #expect(writer.bytes == [0x34, 0x12] + [UInt8](0..<32))
        #expect(SAEConfirmBody(writer.bytes.span.bytes) == confirm)
        for count in 0..<34 {
            #expect(SAEConfirmBody(Array(writer.bytes[..<count]).span.bytes) == nil)
        }
    }
}
