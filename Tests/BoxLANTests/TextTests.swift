import TestSupport
import Testing
import Wire

@testable import BoxLAN

private func place(v6: Bool = true) -> AccessNetwork.Place {
    var generator = SeededGenerator(seed: 3)
    return AccessNetwork.Place(
        interface: "wlan0", subnet: Subnet.candidates[0], prefix: v6 ? UniqueLocalPrefix(using: &generator) : nil)
}

@Suite struct DnsmasqConfigurationTests {
    private func lines(v6: Bool = true) -> [Substring] {
        DnsmasqConfiguration(
            place: place(v6: v6), captivePortalAPI: "https://10.77.0.1/api/captive-portal", leases: "/proc/self/fd/1"
        ).text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    /// It reads nothing of the machine's and asks nobody.
    @Test func isOnItsOwn() {
        for line in ["interface=wlan0", "bind-dynamic", "no-resolv", "no-hosts", "no-poll", "local=/#/"] {
            #expect(lines().contains(Substring(line)), "\(line)")
        }
        #expect(!lines().contains { $0.hasPrefix("server=") && !$0.hasPrefix("server=/") })
    }

    @Test func withoutIPv6NothingIsAdvertised() {
        #expect(lines().contains("enable-ra"))
        #expect(lines().contains { $0.hasPrefix("dhcp-range=fd") && $0.hasSuffix(",ra-only,64,30m") })
        #expect(!lines(v6: false).contains { $0.contains("ra-") || $0.contains("enable-ra") })
        #expect(lines(v6: false).contains("dhcp-range=10.77.0.10,10.77.0.250,255.255.255.0,30m"))
    }
}

@Suite struct FirewallTests {
    private func rules(
        http: Int = 80, hub: Int? = 4711, relay: ClosedRange<Int>? = 49152...65535, v6: Bool = true, index: UInt32 = 7
    ) -> String {
        Firewall(
            place: place(v6: v6), index: index,
            ports: .init(http: http, https: 443, stun: 3478, hub: hub, relay: relay)
        ).rules
    }

    /// A chain's lines without the space before them.
    private func lines(of chain: String, _ rules: String) -> [Substring] {
        let lines = rules.split(separator: "\n").map { $0.drop { $0 == " " } }
        return Array(lines.drop { $0 != "chain \(chain) {" }.dropFirst().prefix { $0 != "}" })
    }

    /// The kernel does all of it or nothing, and an earlier table is gone in the same step.
    @Test func replacesAnEarlierTable() {
        #expect(
            rules().hasPrefix("add table inet kibitz-local\ndelete table inet kibitz-local\ntable inet kibitz-local {"))
        #expect(rules().count { $0 == "{" } == rules().count { $0 == "}" })
    }

    @Test func opensThePublicPortsOnly() {
        #expect(rules().contains("tcp dport { 80, 443 } accept"))
        #expect(rules().contains("udp dport { 3478, 4711, 49152-65535 } accept"))
        #expect(rules(hub: nil, relay: nil).contains("udp dport { 3478 } accept"))
        #expect(rules(http: 8080).contains("tcp dport { 80, 443, 8080 } accept"))
    }

    /// As many as one phone gets while a lease lasts are no more than half of all.
    @Test func onePhoneCanNotTakeAllAddresses() {
        #expect(rules().contains("ether saddr limit rate over 3/minute burst 30 packets } drop"))
        #expect(rules().contains("timeout 1h\n"), "who has used up its burst is not forgotten before a lease is")
        #expect(30 + 3 * DnsmasqConfiguration.leaseMinutes <= Subnet.poolSize / 2)
        #expect(DnsmasqConfiguration.leaseMinutes < 60)
    }

    /// With the redirection the kernel kept track of every connection of the machine, and phones could fill its table.
    @Test func connectionsAreNotKeptTrackOf() {
        for chain in ["prerouting", "output"] {
            let own = lines(of: chain, rules())
            // Right after what is not of this network, before anything is accepted.
            #expect(own[1].hasSuffix("!= \"wlan0\" accept") && own[2] == "notrack")
            let redirecting = lines(of: chain, rules(http: 8080))
            let port = chain == "output" ? "sport" : "dport"
            #expect(redirecting[2] == "tcp \(port) != { 80, 8080 } notrack")
            #expect(redirecting[3] == "meta l4proto != tcp notrack")
        }
    }

    /// Rules that knew the interface by its name alone let everything pass from its renaming until they were set anew; those
    /// that know its index alone do so for an adapter that was plugged in again.
    @Test func theInterfaceIsKnownByItsIndexAndByItsName() {
        for chain in ["prerouting", "input"] {
            #expect(lines(of: chain, rules())[1] == "iif != 7 iifname != \"wlan0\" accept", "\(chain)")
        }
        #expect(lines(of: "output", rules())[1] == "oif != 7 oifname != \"wlan0\" accept")
        // From the interface to itself, and nowhere else: not from its index to another one that has its former name either.
        #expect(
            lines(of: "forward", rules()).dropFirst()
                == [
                    "iif 7 oif 7 accept", "iifname \"wlan0\" oifname \"wlan0\" accept",
                    "iif 7 drop", "iifname \"wlan0\" drop", "oif 7 drop", "oifname \"wlan0\" drop",
                ])
    }

    /// A cable that is plugged in later has only its name as yet.
    @Test func anInterfaceThatIsNotThereIsKnownByItsName() {
        let rules = rules(index: 0)
        #expect(lines(of: "prerouting", rules)[1] == "iifname != \"wlan0\" accept")
        #expect(
            lines(of: "forward", rules).dropFirst()
                == ["iifname \"wlan0\" oifname \"wlan0\" accept", "iifname \"wlan0\" drop", "oifname \"wlan0\" drop"])
    }

    /// Redirection needs the kernel's table of connections; where HTTP is on its own port there is none to be filled.
    @Test func redirectsOnlyWhereItMust() {
        #expect(!rules().contains("redirect"))
        #expect(
            lines(of: "portal", rules(http: 8080)).dropFirst()
                == ["iif != 7 iifname != \"wlan0\" accept", "tcp dport 80 redirect to :8080"])
        #expect(!rules().contains("ct state"))
    }
}

@Suite struct DnsmasqWordsTests {
    @Test func theProgramsNameIsLeftOut() {
        #expect(DnsmasqServer.words(of: "dnsmasq-dhcp[12]: no address range available") == "no address range available")
        #expect(DnsmasqServer.words(of: "dnsmasq: failed to bind: in use") == "failed to bind: in use")
        #expect(DnsmasqServer.words(of: "setpriv: failed to execute") == "setpriv: failed to execute")
    }

    @Test func complaintsAreKnown() {
        for words in [
            "failed to create listening socket for port 53: Address already in use", "bad option at line 7 of stdin",
            "cannot open or create lease file /proc/self/fd/1: Permission denied", "unknown interface wlan9",
            "no address range available for DHCP request via wlan0",
        ] {
            #expect(DnsmasqServer.isComplaint(words), "\(words)")
        }
        for words in [
            "started, version 2.90 cachesize 0", "warning: no upstream servers configured",
            "interface wlan0 failed to join DHCPv6 multicast group: Address already in use",
        ] {
            #expect(!DnsmasqServer.isComplaint(words), "\(words)")
        }
    }
}
