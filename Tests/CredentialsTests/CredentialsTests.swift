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
        #expect(try RoomCredentials(text: room.text, using: &generator) == room)
        let text = room.text.replacing(" 2 2 ", with: " 2 \(UInt32.max) ")
        let last = try RoomCredentials(text: text, using: &generator)
        #expect(last.generation == .max)
        #expect(last.rotated(using: &generator).generation == 1)
    }

    /// A box that is updated keeps its room: printed codes stay good.
    @Test func theFormBeforeTheWiFiIsUpgraded() throws {
        var generator = SeededGenerator(seed: 7)
        let secret = "AAAAAAAAAAAAAAAAAAAAAA"
        let old = "kibitz-local room 1 7 \(secret)\n"
        let room = try RoomCredentials(text: old, using: &generator)
        #expect(room.generation == 7)
        #expect(room.admits(secret: secret))
        #expect(room.text.hasPrefix("kibitz-local room 2 7 \(secret) "))
        #expect(try RoomCredentials(text: room.text, using: &generator) == room)
        let other = try RoomCredentials(text: old, using: &generator)
        #expect(other.wifi.passphrase != room.wifi.passphrase)
    }

    @Test func refusesDamagedFiles() {
        var generator = SeededGenerator(seed: 8)
        let secret = "AAAAAAAAAAAAAAAAAAAAAA"
        let wifi = "k7m3 bcdfg-23456-vwxyz"
        let whole = "kibitz-local room 2 7 \(secret) \(wifi)\n"
        #expect(throws: Never.self) { try RoomCredentials(text: whole, using: &generator) }
        // Cut off anywhere but before the newline, a file is damaged and not an older one.
        let truncations = (0..<(whole.count - 1)).map { String(whole.prefix($0)) }
        for bad in truncations + [
            "kibitz-local room 1 7", "kibitz-local room 1 0 \(secret)",
            "kibitz-local room 1 x \(secret)", "kibitz-local room 1 -1 \(secret)",
            "kibitz-local room 1 4294967296 \(secret)",
            "kibitz-local room 1 7 \(secret)A", "kibitz-local room 1 7 AAAAAAAAAAAAAAAAAAAAAB",
            "kibitz-local room 1 7 ",
            "kibitz-local room 1 7 \(secret) x", "kibitz-local room 3 7 \(secret) \(wifi)",
            "kibitz-local room 1 7  \(secret)", "kibitz-local room 1 7 \(secret)\nmore\n",
            "kibitz-local room 1 7 \(secret) \(wifi)", "kibitz-local room 2 7 \(secret)",
            "kibitz-local room 2 0 \(secret) \(wifi)", "kibitz-local room 2 7 \(secret) \(wifi) x",
            "kibitz-local room 2 7 \(secret) k7m bcdfg-23456-vwxyz",
            "kibitz-local room 2 7 \(secret) k7mi bcdfg-23456-vwxyz",
            "kibitz-local room 2 7 \(secret) k7m3 bcdfg-23456-vwxy0",
            "kibitz-local room 2 7 \(secret) k7m3 bcdfg-23456",
            "kibitz-local room 2 7 \(secret) k7m3 bcdfg-23456-vwxyz-bcdfg",
            "kibitz-local room 2 7 \(secret) k7m3 bcdfgh-3456-vwxyz",
            "kibitz-local room 2 7 \(secret) k7m3 bcdfg-2345é-vwxyz",
            "kibitz-local room 2 7 \(secret) k7m3  bcdfg-23456-vwxyz", whole + whole,
        ] {
            #expect(throws: CredentialFileError.self, "\(bad)") {
                try RoomCredentials(text: bad, using: &generator)
            }
        }
    }
}

@Suite struct WiFiCredentialsTests {
    @Test func rotationChangesAllThree() {
        var generator = SeededGenerator(seed: 11)
        var room = RoomCredentials(using: &generator)
        var suffixes: Set<String> = []
        var passphrases: Set<String> = []
        for _ in 0..<200 {
            let next = room.rotated(using: &generator)
            #expect(next.secret != room.secret)
            #expect(next.wifi.suffix != room.wifi.suffix)
            #expect(next.wifi.passphrase != room.wifi.passphrase)
            room = next
            suffixes.insert(room.wifi.suffix)
            passphrases.insert(room.wifi.passphrase)
        }
        #expect(suffixes.count > 190 && passphrases.count == 200)
    }

    /// Fit for WPA2 and WPA3 (8 to 63 printable ASCII characters), to be read aloud and typed; at least 60 random bits.
    @Test func passphrasesAreTypeable() {
        var generator = SeededGenerator(seed: 12)
        var used: Set<Character> = []
        for _ in 0..<500 {
            let passphrase = RoomCredentials(using: &generator).wifi.passphrase
            #expect(passphrase.utf8.count == 17)
            #expect(passphrase.split(separator: "-").map(\.count) == [5, 5, 5])
            used.formUnion(passphrase)
        }
        #expect(used.isDisjoint(with: "01oilaeu"))
        #expect(used.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
        // 15 characters, each one of as many: 28^15 > 2^72.
        #expect(used.subtracting("-").count == 28)
    }

    @Test(arguments: [
        ("Kibitz", "Kibitz"), ("", ""), ("The Bridge Club", "The Bridge Club"),
        (String(repeating: "a", count: 27), String(repeating: "a", count: 27)),
        (String(repeating: "a", count: 28), String(repeating: "a", count: 27)),
        // Three octets each: nine fit. Nothing is left of a character that does not fit.
        (String(repeating: "語", count: 12), String(repeating: "語", count: 9)),
        ("Café " + String(repeating: "👩‍👩‍👧‍👦", count: 3), "Café"),
        (String(repeating: "a", count: 26) + " b", String(repeating: "a", count: 26)),
        (String(repeating: "a", count: 26) + "é", String(repeating: "a", count: 26)),
    ])
    func namesFit(_ name: String, _ kept: String) {
        var generator = SeededGenerator(seed: 13)
        let wifi = RoomCredentials(using: &generator).wifi
        let ssid = wifi.ssid(name: name)
        #expect(ssid == "\(kept)-\(wifi.suffix)")
        #expect(ssid.utf8.count <= 32)
    }

    @Test(arguments: [
        ("Kibitz-k7m3", "bcdfg-23456-vwxyz", "WIFI:T:WPA;S:Kibitz-k7m3;P:bcdfg-23456-vwxyz;;"),
        (#"a;b,c:d"e\f"#, "p;;", #"WIFI:T:WPA;S:a\;b\,c\:d\"e\\f;P:p\;\;;;"#),
        ("Café 語", "x", "WIFI:T:WPA;S:Café 語;P:x;;"),
        // A letter that joins with the escaped character into one must not hide it.
        (";\u{301}", "x", "WIFI:T:WPA;S:\\;\u{301};P:x;;"),
    ])
    func codesAreEscaped(_ ssid: String, _ passphrase: String, _ text: String) {
        #expect(WiFiCode.text(ssid: ssid, passphrase: passphrase) == text)
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
