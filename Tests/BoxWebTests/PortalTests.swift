import BoxRoom
import BoxState
import Foundation
import HTTPTypes
import Logging
import Synchronization
import Testing
import Wire

@testable import BoxWeb

@Suite struct CaptiveProbeTests {
    @Test(arguments: [
        ("captive.apple.com", "/hotspot-detect.html", CaptiveProbe.apple),
        ("captive.apple.com", "/anything", .apple),
        ("www.apple.com", "/library/test/success.html", .apple),
        ("connectivitycheck.gstatic.com", "/generate_204", .android),
        ("connect.rom.miui.com", "/generate_204", .android),
        ("www.google.com", "/gen_204", .android),
        ("www.msftconnecttest.com", "/connecttest.txt", .windows),
        ("www.msftncsi.com", "/ncsi.txt", .formerWindows),
        ("detectportal.firefox.com", "/canonical.html", .firefoxPage),
        ("detectportal.firefox.com", "/success.txt", .firefoxText),
        ("network-test.debian.org", "/nm", .networkManager),
        ("ping.archlinux.org", "/nm-check.txt", .networkManager),
        ("conncheck.opensuse.org", "/", .networkManager),
        ("fedoraproject.org", "/static/hotspot.txt", .fedora),
        ("connectivity-check.ubuntu.com", "/", .ubuntu),
    ])
    func areKnown(_ host: String, _ path: String, _ expected: CaptiveProbe) {
        #expect(CaptiveProbe(host: host, path: path) == expected)
    }

    /// Ubuntu got Android's answer, an empty one, which NetworkManager takes for a portal's unless a field says more.
    @Test func ubuntuIsToldByAField() throws {
        let probe = try #require(CaptiveProbe(host: "connectivity-check.ubuntu.com", path: "/"))
        #expect(probe.success.status == .noContent)
        #expect(probe.fields.map { "\($0.name): \($0.value)" } == ["X-NetworkManager-Status: online"])
        #expect(CaptiveProbe.android.fields.isEmpty)
    }

    @Test func othersAreNone() {
        for (host, path) in [
            ("www.apple.com", "/"), ("www.msftconnecttest.com", "/redirect"), ("example.org", "/generate_2040"),
            ("example.org", ""), ("evil-captive.apple.com.example", "/x"),
        ] {
            #expect(CaptiveProbe(host: host, path: path) == nil, "\(host)\(path)")
        }
    }
}

@Suite struct NeighbourTests {
    static let text = """
        IP address       HW type     Flags       HW address            Mask     Device
        10.77.0.15       0x1         0x2         02:00:00:00:01:0a     *        wlan0
        10.77.0.1        0x1         0x0         00:00:00:00:00:00     *        wlan0
        10.77.0.151      0x1         0x6         02:00:00:00:01:0b     *        wlan0
        10.77.0.16       0x1
        """

    @Test(arguments: [
        ("10.77.0.15", "02:00:00:00:01:0a"), ("10.77.0.151", "02:00:00:00:01:0b"),
        // Asked for and not yet known; cut off; not there.
        ("10.77.0.1", nil), ("10.77.0.16", nil), ("10.77.0.5", nil),
    ])
    func areFound(_ address: String, _ expected: String?) throws {
        let address = try #require(IPAddress(ipv4: address))
        #expect(Neighbours.hardwareAddress(of: address, in: Self.text)?.description == expected)
    }
}

@Suite struct PortalPageTests {
    @Test func namesAreEscaped() {
        let html = PortalPage.html(name: #"<script>"&'"#, hasPassed: false)
        #expect(html.contains("&lt;script&gt;&quot;&amp;'"))
        #expect(!html.contains("<script"))
    }
}

@Suite struct PortalTests {
    private let directory: String
    private let place = Portal.Place(
        network: IPNetwork(.v4(0x0A4D_0000), prefixLength: 24), address: .v4(0x0A4D_0001))

    init() throws {
        var template = Array("/tmp/kibitz-portal-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Every device's hardware address is its IP address, until `moved` says otherwise.
    private func makePortal(
        _ state: StateDirectory, _ authority: RoomAuthority, moved: [IPAddress: MACAddress] = [:]
    ) -> Portal {
        let portal = Portal(
            authority: authority, state: state, names: { ["box.local"] }, logger: Logger(label: "test"),
            hardwareAddress: { address in
                if let other = moved[address] { return other }
                guard case .v4(let value) = address else { return nil }
                return MACAddress(UInt64(value))
            })
        portal.open(place)
        return portal
    }

    private func device(_ number: Int) -> IPAddress { .v4(0x0A4D_0000 + UInt32(number)) }

    /// The write of a tap is not waited for by anybody else.
    private func stored(_ state: StateDirectory, has count: Int) async throws {
        for _ in 0..<200 {
            let text = try state.read("portal").map { String(decoding: $0, as: UTF8.self) } ?? ""
            if text.split(separator: "\n").count == count + 1 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the taps are not on the disk")
    }

    @Test func servesItsOwnNetworkOnly() throws {
        let state = try StateDirectory(path: directory)
        let portal = makePortal(state, try RoomAuthority(state: state))
        #expect(portal.place(servingGuest: device(20)) == place)
        #expect(portal.place(servingGuest: place.address) == nil, "the box itself")
        #expect(portal.place(servingGuest: .v4(0xC0A8_0105)) == nil)
        #expect(portal.isOwn("10.77.0.1", at: place) && portal.isOwn("box.local", at: place))
        #expect(!portal.isOwn("captive.apple.com", at: place) && !portal.isOwn("", at: place))
        portal.close()
        #expect(portal.place(servingGuest: device(20)) == nil)
    }

    @Test func remembersDevicesUntilTheCodesChange() async throws {
        do {
            let state = try StateDirectory(path: directory)
            let authority = try RoomAuthority(state: state)
            let portal = makePortal(state, authority)
            #expect(!portal.hasPassed(device(20)))
            #expect(portal.pass(device(20)) && portal.pass(device(20)) && portal.pass(device(21)))
            #expect(portal.hasPassed(device(20)) && portal.hasPassed(device(21)) && !portal.hasPassed(device(22)))
            // Another device at the same address is another device.
            let moved = makePortal(state, authority, moved: [device(20): MACAddress(0x0200_0000_0001)])
            #expect(!moved.hasPassed(device(20)))
            try await stored(state, has: 2)
        }
        let state = try StateDirectory(path: directory)
        let authority = try RoomAuthority(state: state)
        let portal = makePortal(state, authority)
        #expect(portal.hasPassed(device(20)) && portal.hasPassed(device(21)))
        _ = try authority.rotate()
        #expect(!portal.hasPassed(device(20)))
        portal.pass(device(22))
        #expect(!portal.hasPassed(device(20)) && portal.hasPassed(device(22)))
        try await stored(state, has: 1)
    }

    @Test func theTableIsBounded() async throws {
        let state = try StateDirectory(path: directory)
        let portal = makePortal(state, try RoomAuthority(state: state))
        for number in 0..<(Portal.deviceLimit + 3) { portal.pass(.v4(UInt32(number))) }
        #expect(!portal.hasPassed(.v4(2)) && portal.hasPassed(.v4(3)))
        try await stored(state, has: Portal.deviceLimit)
    }

    @Test(arguments: [
        "", "kibitz-local portal 1", "kibitz-local portal 1 x\n02:00:00:00:00:01\n", "kibitz-local portal 2 1\n",
        "kibitz-local portal 1 1\nnonsense\n00:00\n", "\u{0}\u{0}",
    ])
    func damagedFilesCostOneTap(_ text: String) throws {
        let state = try StateDirectory(path: directory)
        let authority = try RoomAuthority(state: state)
        try state.write(Array(text.utf8), to: "portal")
        let portal = makePortal(state, authority)
        #expect(!portal.hasPassed(device(1)))
        #expect(portal.pass(device(1)) && portal.hasPassed(device(1)))
    }
}
