import Credentials
import TestSupport
import Testing

func key(_ seed: UInt64 = 1) -> BoxKey {
    var generator = SeededGenerator(seed: seed)
    return BoxKey(using: &generator)
}

@Suite struct BoxKeyTests {
    @Test func survivesItsTextForm() throws {
        let tokens = SessionTokens(key: key())
        let token = tokens.issue(SessionClaims(id: "kl-a", generation: 3))
        let again = try BoxKey(text: key().text)
        #expect(again.text == key().text)
        #expect(SessionTokens(key: again).verify(token) == SessionClaims(id: "kl-a", generation: 3))
    }

    @Test func refusesDamagedFiles() {
        let text = key().text
        for bad in [
            "", "\n", "kibitz-local box key 1", "kibitz-local box key 1 ", "kibitz-local box key 1 AAAA\n",
            String(text.dropLast(2)), text.replacing("1 ", with: "2 ", maxReplacements: 1), text + text,
            String(text.dropLast(2)) + "=\n", String(text.dropLast(2)) + "é\n",
        ] {
            #expect(throws: CredentialFileError.self, "\(bad)") { try BoxKey(text: bad) }
        }
    }
}

@Suite struct RoomCredentialsTests {
    @Test func secretsAreFreshAndCounted() {
        var generator = SeededGenerator(seed: 5)
        let first = RoomCredentials(using: &generator)
        #expect(first.generation == 1)
        #expect(first.secret.utf8.count == 22)
        #expect(first.secret.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        let second = first.rotated(using: &generator)
        #expect(second.generation == 2)
        #expect(second.secret != first.secret)
        #expect(second.admits(secret: second.secret))
        #expect(!second.admits(secret: first.secret))
        #expect(!second.admits(secret: ""))
        #expect(!second.admits(secret: second.secret + "A"))
        #expect(!second.admits(secret: String(second.secret.dropLast())))
    }

    @Test func survivesItsTextForm() throws {
        var generator = SeededGenerator(seed: 6)
        let room = RoomCredentials(using: &generator).rotated(using: &generator)
        #expect(try RoomCredentials(text: room.text) == room)
        let last = try RoomCredentials(text: "kibitz-local room 1 \(UInt32.max) \(room.secret)\n")
        #expect(last.rotated(using: &generator).generation == 1)
    }

    @Test func refusesDamagedFiles() {
        let secret = "AAAAAAAAAAAAAAAAAAAAAA"
        #expect(throws: Never.self) { try RoomCredentials(text: "kibitz-local room 1 7 \(secret)\n") }
        for bad in [
            "", "kibitz-local room 1", "kibitz-local room 1 7", "kibitz-local room 1 0 \(secret)",
            "kibitz-local room 1 x \(secret)", "kibitz-local room 1 -1 \(secret)",
            "kibitz-local room 1 4294967296 \(secret)",
            "kibitz-local room 1 7 \(secret)A", "kibitz-local room 1 7 AAAAAAAAAAAAAAAAAAAAAB",
            "kibitz-local room 1 7 ",
            "kibitz-local room 1 7 \(secret) x", "kibitz-local room 2 7 \(secret)", "kibitz-local room 1 7  \(secret)",
            "kibitz-local room 1 7 \(secret)\nmore\n",
        ] {
            #expect(throws: CredentialFileError.self, "\(bad)") { try RoomCredentials(text: bad) }
        }
    }
}

@Suite struct SessionTokenTests {
    @Test func outliveARestart() {
        let claims = SessionClaims(id: "kl-abcdefghij234567", generation: 42)
        let token = SessionTokens(key: key()).issue(claims)
        #expect(SessionTokens(key: key()).verify(token) == claims)
        #expect(SessionTokens(key: key()).issue(claims) == token)
        #expect(token.utf8.count <= SessionTokens.maximumLength)
        #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
    }

    @Test func belongToOneBox() {
        let token = SessionTokens(key: key(1)).issue(SessionClaims(id: "kl-a", generation: 1))
        #expect(SessionTokens(key: key(2)).verify(token) == nil)
    }

    /// No byte of a token can be changed, left out or added.
    @Test func anyChangeIsRefused() {
        let tokens = SessionTokens(key: key())
        let token = Array(tokens.issue(SessionClaims(id: "kl-a2", generation: 10)).utf8)
        for place in token.indices {
            for replacement in [0x2E, 0x30, 0x31, 0x41, 0x61, 0x00, 0xC3] as [UInt8] where token[place] != replacement {
                var changed = token
                changed[place] = replacement
                #expect(tokens.verify(String(decoding: changed, as: UTF8.self)) == nil)
            }
            var shorter = token
            shorter.remove(at: place)
            #expect(tokens.verify(String(decoding: shorter, as: UTF8.self)) == nil)
            #expect(tokens.verify(String(decoding: token[..<place], as: UTF8.self)) == nil)
        }
        for bad in ["", ".", "..", "...", "1.kl-a.", "é.é.é", String(repeating: "1.", count: 5000)] {
            #expect(tokens.verify(bad) == nil)
        }
    }
}

@Suite struct TURNCredentialTests {
    @Test func expireByThemselves() {
        let turn = TURNCredentials(key: key())
        let credential = turn.issue(id: "kl-a", generation: 3, expiry: 2_000_000_000)
        #expect(credential.username == "2000000000:3:kl-a")
        #expect(credential.password.utf8.count == 43)
        #expect(credential.password.allSatisfy { $0.isLetter || $0.isNumber || "-_".contains($0) }, "fit for a link")
        func password(_ now: UInt64, _ generation: UInt32) -> String? {
            TURNCredentials(key: key()).password(forUsername: credential.username, at: now, generation: generation)
        }
        #expect(password(1_999_999_999, 3) == credential.password)
        #expect(password(2_000_000_000, 3) == nil)
        #expect(password(1_999_999_999, 4) == nil)
        #expect(password(1_999_999_999, 2) == nil)
    }

    @Test func theHubsIsGoodForOneGeneration() {
        let turn = TURNCredentials(key: key())
        let credential = turn.hubCredential(generation: 3)
        #expect(credential.username == "hub-3")
        #expect(credential.password.utf8.count == 22)
        #expect(credential.password.utf8.allSatisfy { $0 != 0x2B && $0 != 0x2F && $0 != 0x3D }, "fit for a link")
        #expect(turn.password(forUsername: "hub-3", at: .max, generation: 3) == credential.password)
        for other in ["hub-2", "hub-4", "hub-", "hub-03", "hub-3 ", "hub-3:1:a"] {
            #expect(turn.password(forUsername: other, at: 1, generation: 3) == nil, "\(other)")
        }
        #expect(TURNCredentials(key: key(2)).hubCredential(generation: 3).password != credential.password)
    }

    @Test func differByUserAndBoxAndUse() {
        let turn = TURNCredentials(key: key())
        let mine = turn.issue(id: "kl-a", generation: 1, expiry: 9)
        #expect(turn.issue(id: "kl-b", generation: 1, expiry: 9).password != mine.password)
        #expect(turn.issue(id: "kl-a", generation: 1, expiry: 8).password != mine.password)
        #expect(TURNCredentials(key: key(2)).issue(id: "kl-a", generation: 1, expiry: 9).password != mine.password)
    }

    @Test(
        arguments: [
            "", ":", "::", "9:1", "9:1:", ":1:a", "9::a", "x:1:a", "9:x:a", "9:1:a:b", "-9:1:a", "9.0:1:a",
            "18446744073709551616:1:a", "9:4294967296:a",
        ])
    func refuseOtherNames(_ username: String) {
        #expect(TURNCredentials(key: key()).password(forUsername: username, at: 1, generation: 1) == nil)
    }

    @Test func refuseLongNames() {
        let username = "9:1:" + String(repeating: "a", count: TURNCredentials.maximumUsernameLength)
        #expect(TURNCredentials(key: key()).password(forUsername: username, at: 1, generation: 1) == nil)
    }
}

@Suite struct IdentifierTests {
    @Test func membersAreMarked() {
        var generator = SeededGenerator(seed: 9)
        let ids = (0..<1000).map { _ in Identifiers.freshMember(using: &generator) }
        #expect(Set(ids).count == 1000)
        for id in ids {
            #expect(id.hasPrefix("kl-"))
            #expect(id.utf8.count == 19)
            #expect(id.dropFirst(3).utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x32...0x37).contains($0) })
        }
    }

    /// RFC 9562 section 5.4: the version and the variant stand where they must.
    @Test func peersAreUUIDs() {
        var generator = SeededGenerator(seed: 10)
        for _ in 0..<1000 {
            let groups = Identifiers.freshPeer(using: &generator).split(
                separator: "-", omittingEmptySubsequences: false)
            #expect(groups.map(\.count) == [8, 4, 4, 4, 12])
            #expect(groups[2].first == "4")
            #expect(groups[3].first.map { "89ab".contains($0) } == true)
            #expect(groups.joined().utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        }
    }
}
