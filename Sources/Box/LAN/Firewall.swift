import BoxNetwork
import CLinux
import Glibc
import Netlink
import Wire

/// What the Wi-Fi may reach, as a table of nftables that is the box's own: its public ports and nothing else of it, and
/// no other network at all.
///
/// Other tables of the machine's owner stay as they are. A packet has to pass all of them: what this table accepts may
/// still be dropped by another.
struct Firewall: Equatable, Sendable {
    /// The table's name.
    static let table = "kibitz-local"

    /// Where the Wi-Fi is.
    var place: AccessNetwork.Place
    /// The index of its interface; 0 where there is none.
    var index: UInt32
    /// The box's public ports.
    var ports: AccessNetwork.Ports

    /// Takes the table away, whether it is there or not.
    static let removal = "add table inet \(table)\ndelete table inet \(table)\n"

    /// The rules for `nft -f`, carried out as one transaction: what an earlier run left is replaced, and at no moment is
    /// there less than the whole.
    ///
    /// The Wi-Fi's packets are known by the interface's index and by its name. The index stays when it is renamed, and the
    /// name when an adapter is pulled and plugged in again: no packet passes before the box has heard of either.
    ///
    /// No rule asks for the state of connections. What a phone sends to the box needs none, and a table of connections is
    /// something a phone could fill: the kernel keeps none of this network's, even where the machine's owner or the
    /// redirection of port 80 makes it keep the others'. Only that redirection's own are.
    var rules: String {
        let networkV6 = place.networkV6.map { "\($0), " } ?? ""
        let http = Set([80, ports.http, ports.https]).sorted().map(String.init).joined(separator: ", ")
        let media = ([ports.stun] + (ports.hub.map { [$0] } ?? [])).map(String.init).joined(separator: ", ")
        let relay = ports.relay.map { ", \($0.lowerBound)-\($0.upperBound)" } ?? ""
        let incoming = [index == 0 ? nil : "iif \(index)", "iifname \"\(place.interface)\""].compactMap(\.self)
        let outgoing = incoming.map { "o" + $0.dropFirst() }
        let comesFromElsewhere = Self.none(of: incoming)
        return Self.removal + """
            table inet \(Self.table) {
                # Phones that ask for an address: 30 messages at once, then three a minute. A phone needs two when it comes,
                # and one each half of a lease. Nobody gets so many leases by that that none are left for others.
                set dhcp_clients {
                    type ether_addr
                    size 1024
                    flags dynamic,timeout
                    timeout 1h
                }

                chain prerouting {
                    type filter hook prerouting priority raw; policy accept;
                    \(comesFromElsewhere) accept
                    \(untracked("dport"))
                    # Only addresses of this network, and those of phones that have none yet.
                    ip saddr != { \(place.network), 0.0.0.0 } drop
                    ip6 saddr != { \(networkV6)fe80::/10, :: } drop
                    # From phone to phone, where the kernel shows these rules what a bridge passes on (br_netfilter).
                    ip daddr \(place.network) accept
                    ip6 daddr { \(networkV6)fe80::/10 } accept
                    # Beyond the box there is nothing. Programs learn it at once instead of waiting.
                    fib daddr type != { local, broadcast, multicast } limit rate 200/second burst 50 packets \
            reject with icmpx admin-prohibited
                    fib daddr type != { local, broadcast, multicast } drop
                    # The box by its addresses on this network, not by those it has on others.
                    ip daddr != { 255.255.255.255, 224.0.0.0/4 } drop
                    ip6 daddr != ff00::/8 drop
                }

                chain input {
                    type filter hook input priority filter - 10; policy accept;
                    \(comesFromElsewhere) accept
                    tcp dport { \(http) } accept
                    udp dport { \(media)\(relay) } accept
                    # DNS and multicast DNS. DNS over TCP is for long answers; ours are short.
                    udp dport { 53, 5353 } accept
                    udp dport 67 update @dhcp_clients { ether saddr limit rate over 3/minute burst 30 packets } drop
                    udp dport 67 accept
                    icmp type { echo-request, echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept
                    meta l4proto igmp accept
                    icmpv6 type { echo-request, echo-reply, destination-unreachable, packet-too-big, time-exceeded, \
            parameter-problem, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, \
            mld-listener-done, mld2-listener-report } accept
                    meta l4proto tcp limit rate 200/second burst 50 packets reject with tcp reset
                    meta l4proto udp limit rate 200/second burst 50 packets reject with icmpx port-unreachable
                    drop
                }

                chain output {
                    type filter hook output priority raw; policy accept;
                    \(Self.none(of: outgoing)) accept
                    \(untracked("sport"))
                }

                # Nothing passes between the Wi-Fi and another network, whatever the forwarding of the machine is set to.
                chain forward {
                    type filter hook forward priority filter - 10; policy accept;
                    \(zip(incoming, outgoing).map { "\($0) \($1) accept" }.joined(separator: "\n        "))
                    \((incoming + outgoing).map { "\($0) drop" }.joined(separator: "\n        "))
                }
            \(redirection(comesFromElsewhere))}

            """
    }

    /// The condition that none of some is met.
    private static func none(of conditions: [String]) -> String {
        conditions.map { $0.split(separator: " ").joined(separator: " != ") }.joined(separator: " ")
    }

    /// The rules by which connections are not kept track of.
    /// - Parameter port: where the box's own port is: `dport` of what comes in, `sport` of what goes out.
    private func untracked(_ port: String) -> String {
        guard ports.http != 80 else { return "notrack" }
        return "tcp \(port) != { 80, \(ports.http) } notrack\n        meta l4proto != tcp notrack"
    }

    /// Phones look for a portal at port 80, wherever the box's web server is.
    /// - Parameter comesFromElsewhere: the condition that a packet is not the Wi-Fi's.
    private func redirection(_ comesFromElsewhere: String) -> String {
        guard ports.http != 80 else { return "" }
        return """

                chain portal {
                    type nat hook prerouting priority dstnat; policy accept;
                    \(comesFromElsewhere) accept
                    tcp dport 80 redirect to :\(ports.http)
                }

            """
    }

    /// Puts the rules in place.
    /// - Returns: what is wrong and how to mend it, or nil.
    func apply() async -> String? { await Self.load(rules) }

    /// Takes the rules away.
    static func remove() async { _ = await load(removal) }

    /// The box's rules as the kernel has them, without what changes by itself; nil where there are none, or where that can't
    /// be found out.
    static func listing() async -> [UInt8]? {
        var pipe: [Int32] = [-1, -1]
        guard let nft = Program.path(of: "nft"), CLinux_pipe2(&pipe, O_CLOEXEC) == 0 else { return nil }
        defer { close(pipe[0]) }
        // They are a few kilobytes. Of more than the pipe takes nft would not come to its end, and they are not the box's.
        let list = ChildProcess.Command(
            arguments: [nft, "--terse", "--stateless", "list", "table", "inet", table], output: pipe[1])
        guard await ChildProcess.run(list).end == .exited(0) else { return nil }
        var listing: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(pipe[0], $0.baseAddress, $0.count) }
            if count <= 0 { return listing }
            listing += buffer[..<count]
        }
    }

    /// A number that changes with each change of any rule of the machine's; nil where the kernel tells none. It costs a
    /// hundredth of ``listing()``.
    static func generation() -> UInt32? {
        let socket = Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_NETFILTER)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var limit = InterfaceAddresses.limit
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var writer = NetlinkWriter()
        RuleMessages.askGeneration(into: &writer)
        guard send(socket, writer.bytes, writer.bytes.count, 0) == writer.bytes.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 512)
        let count = recv(socket, &answer, answer.count, 0)
        return count > 0 ? RuleMessages.generation(in: answer.span.bytes.extracting(0..<count)) : nil
    }

    private static func load(_ rules: String) async -> String? {
        guard let nft = Program.path(of: "nft") else { return missing }
        let (end, words) = await ChildProcess.run(.init(arguments: [nft, "-f", "-"], input: Array(rules.utf8)))
        if end == .exited(0) { return nil }
        let reason = words.first ?? "\(end)"
        return
            "the firewall of the Wi-Fi can't be set (nft: \(reason)); the box needs CAP_NET_ADMIN and a kernel with nftables"
    }

    /// What to say when there is no nft.
    static let missing = "nft is missing, so the Wi-Fi can't be kept apart from other networks; apt install nftables"
}
