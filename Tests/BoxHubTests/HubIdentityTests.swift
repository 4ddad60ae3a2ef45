import BoxState
import DTLS
import Foundation
import TestSupport
import Testing

@testable import BoxHub

@Suite struct HubIdentityTests {
    private func withState(_ body: (StateDirectory) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kibitz-hub-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(StateDirectory(path: path))
    }

    @Test func isMadeOnceAndKept() throws {
        try withState { state in
            var first = try HubIdentity(in: state)
            #expect(first.ufrag.count == 8 && first.pwd.count == 24 && first.port == nil)
            #expect(HubIdentity.knownPort(inDirectory: state.path) == nil)
            first.port = 9711
            try first.store(in: state)
            let second = try HubIdentity(in: state)
            #expect(second.ufrag == first.ufrag && second.pwd == first.pwd && second.port == 9711)
            #expect(second.certificate.fingerprint == first.certificate.fingerprint)
            #expect(HubIdentity.knownPort(inDirectory: state.path) == 9711)
        }
    }

    @Test func isFreshForEachBox() throws {
        var generator = SystemRandomNumberGenerator()
        let identities = try (0..<20).map { _ in try HubIdentity(using: &generator) }
        #expect(Set(identities.map(\.ufrag)).count == 20)
        #expect(Set(identities.map(\.pwd)).count == 20)
        #expect(Set(identities.map(\.certificate.fingerprint)).count == 20)
        for identity in identities {
            #expect(
                (identity.ufrag + identity.pwd).utf8.allSatisfy { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "z") })
        }
    }

    @Test func aDamagedFileIsNamed() throws {
        try withState { state in
            let whole = try HubIdentity(in: state).text
            for text in [
                "", "x", whole.replacing("hub 1", with: "hub 2", maxReplacements: 1),
                String(whole.prefix(whole.count / 2)), whole.replacing("BEGIN CERTIFICATE", with: "BEGIN NONSENSE"),
                whole.replacing(" 0\n", with: " 65536\n", maxReplacements: 1),
            ] {
                try state.write(Array(text.utf8), to: "hub")
                #expect(throws: HubIdentity.DamagedFile.self, "\(text.prefix(40))") { try HubIdentity(in: state) }
            }
        }
    }

    @Test func theWellKnownOneIsTheAppsOwn() throws {
        let identity = try WellKnownIdentity.identity()
        // What the app has built in (`hubDiscover.ts`).
        #expect(
            Data(identity.certificate.fingerprint).base64EncodedString()
                == "iMQvZo7x61ukUXjDvSJnKmr3PFy6iDvHSa9XV3mb/kA=")
        #expect(identity.port == 4711)
    }
}
