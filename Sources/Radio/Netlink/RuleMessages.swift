/// What the kernel announces of its packet filter's rules (linux/netfilter/nf_tables.h).
public enum RuleMessages {
    /// The multicast group in which it does, `NFNLGRP_NFTABLES` of linux/netfilter/nfnetlink.h.
    public static let group: UInt32 = 7

    /// `NFNL_SUBSYS_NFTABLES`: the upper octet of the messages' types.
    static let subsystem: UInt16 = 10
    /// `NFPROTO_INET`: the family of tables that are for IPv4 and IPv6.
    static let inet: UInt8 = 1
    /// Octets of `struct nfgenmsg`.
    static let headerSize = 4
    /// The name of the table. Tables, chains, rules, sets and all else have it under the same number (`NFTA_TABLE_NAME`,
    /// `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE`, …).
    static let tableName: UInt16 = 1

    /// `NFT_MSG_NEWGEN` and `NFT_MSG_GETGEN`: the number of the rules' present generation, and the question for it.
    static let newGeneration: UInt16 = subsystem << 8 | 15
    static let getGeneration: UInt16 = subsystem << 8 | 16
    /// `NFTA_GEN_ID`.
    static let generationID: UInt16 = 1

    /// Writes the question for ``generation(in:)``.
    public static func askGeneration(into writer: inout NetlinkWriter) {
        writer.beginMessage(type: getGeneration, flags: .request, sequence: 1)
        // struct nfgenmsg: of no family.
        writer.write(UInt32(0))
        writer.endMessage()
    }

    /// The number that changes with each change of any rule.
    /// - Parameter datagram: the answer.
    /// - Returns: nil when it holds none, a refusal for example.
    public static func generation(in datagram: RawSpan) -> UInt32? {
        var messages = NetlinkMessageReader(datagram)
        guard let message = messages.next(), message.header.type == newGeneration,
            message.payload.byteCount >= headerSize
        else { return nil }
        let attributes = NetlinkAttributes(message.payload.extracting(headerSize..<message.payload.byteCount))
        return attributes.first(generationID)?.uint32
    }

    /// Whether something in a table has changed.
    /// - Parameters:
    ///   - table: the name of a table of the family `inet`.
    ///   - datagram: what the kernel announced.
    /// - Returns: true as well when the datagram is cut off: what is missing may be about the table.
    public static func concern(table: String, _ datagram: RawSpan) -> Bool {
        var messages = NetlinkMessageReader(datagram)
        while let message = messages.next() {
            let payload = message.payload
            guard message.header.type >> 8 == subsystem, payload.byteCount >= headerSize, payload.uint8(at: 0) == inet
            else { continue }
            let attributes = NetlinkAttributes(payload.extracting(headerSize..<payload.byteCount))
            if attributes.first(tableName)?.string == table { return true }
        }
        return messages.isMalformed
    }
}
