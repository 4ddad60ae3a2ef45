import HTTPTypes
import Testing
import Wire

@testable import BoxWeb

/// What the owner's alone is goes to programs on this machine, and not to whom they serve.
@Suite struct LocalRequestTests {
    private let box: IPAddress = .v4(0xC0A8_0105)  // 192.168.1.5

    private func isOwn(
        _ host: String?, from remote: IPAddress = .v4(0x7F00_0001), to local: IPAddress? = .v4(0x7F00_0001),
        _ fields: [(String, String)] = []
    ) throws -> Bool {
        var head = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/link")
        for (name, value) in fields { head.headerFields[try #require(HTTPField.Name(name))] = value }
        return LocalRequest(remote: remote, local: local, head: head).isOwn { ["attic.local", "Room.example.org"] }
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:8080", "127.9.9.9", "localhost", "LocalHost:80", "localhost.", "attic.local:8080",
        "room.example.org",
    ])
    func aProgramOfThisMachineNamesTheBox(_ host: String) throws { #expect(try isOwn(host)) }

    @Test func theBoxsOwnAddressIsThisMachineToo() throws {
        #expect(try isOwn("192.168.1.5:80", from: box, to: box))
        #expect(try !isOwn("192.168.1.6:80", from: box, to: box))
        #expect(try !isOwn("192.168.1.5:80", from: .v4(0xC0A8_0106), to: box), "a neighbour")
        #expect(try !isOwn("localhost", from: .v4(0xC0A8_0106), to: box), "a neighbour that says so")
    }

    /// A page of anybody's in a browser on this machine got the room's secret: its own name led to 127.0.0.1.
    @Test(arguments: ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", nil])
    func aNameThatIsNotTheBoxsIsNot(_ host: String?) throws { #expect(try !isOwn(host)) }

    /// What a reverse proxy on this machine passes on came from anywhere.
    @Test(arguments: ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"])
    func whatIsPassedOnIsNot(_ mark: String) throws { #expect(try !isOwn("localhost", [(mark, "203.0.113.7")])) }

    @Test func anotherSitesPageIsNot() throws {
        for site in ["cross-site", "same-site"] { #expect(try !isOwn("localhost", [("Sec-Fetch-Site", site)])) }
        for site in ["none", "same-origin"] { #expect(try isOwn("localhost", [("Sec-Fetch-Site", site)])) }
        #expect(try !isOwn("localhost:80", [("Origin", "http://evil.example")]))
        #expect(try !isOwn("localhost:80", [("Origin", "null")]))
        #expect(try isOwn("localhost:80", [("Origin", "http://localhost:80")]))
    }
}
