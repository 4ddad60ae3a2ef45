import Netlink
import Wire

/// What the kernel takes: the types, lengths and ranges that net/wireless/nl80211.c of Linux 6.12 checks attributes
/// against (`nl80211_policy`, `nl80211_key_policy` and the like), and which attributes the handler of each command reads
/// and requires. By the numbers of linux/nl80211.h, so that a wrong number of ours shows.
public enum KernelPolicy {
    /// What an attribute must be. The kernel takes longer integers with a warning; here their length is exact.
    public indirect enum Rule: Sendable {
        case u8(ClosedRange<UInt8>)
        case u16(ClosedRange<UInt16>)
        case u32(ClosedRange<UInt32>)
        case flag
        case octets(ClosedRange<Int>)
        /// Text with a zero octet behind it: octets without that one at most.
        case text(Int)
        /// 32-bit integers, at most so many.
        case words(Int)
        case nest([UInt16: Rule])
        /// A nest of attributes of any number.
        case list(Rule)
        /// Well-formed elements (`validate_ie_attr`).
        case elements
        /// A frame's header and fixed fields, and elements (`validate_beacon_head`).
        case beaconHead
        /// HE capabilities as long as they say (`validate_he_capa`).
        case heCapability
    }

    private static let any32 = Rule.u32(0...UInt32.max)
    private static let any16 = Rule.u16(0...UInt16.max)
    private static let any8 = Rule.u8(0...UInt8.max)
    private static let address = Rule.octets(6...6)
    private static let maximumData = 2304

    /// `nl80211_policy`. Where the kernel has none, what its handler checks.
    public static let attributes: [UInt16: Rule] = [
        1: any32,  // WIPHY
        3: any32,  // IFINDEX
        4: .text(15),  // IFNAME
        5: .u32(0...12),  // IFTYPE
        6: address,  // MAC
        8: .u8(0...7),  // KEY_IDX
        12: any32,  // BEACON_INTERVAL
        13: any32,  // DTIM_PERIOD
        14: .beaconHead,  // BEACON_HEAD
        15: .elements,  // BEACON_TAIL
        16: .u16(1...2007),  // STA_AID
        18: any16,  // STA_LISTEN_INTERVAL
        19: .octets(0...32),  // STA_SUPPORTED_RATES
        28: any8,  // BSS_CTS_PROT
        29: any8,  // BSS_SHORT_PREAMBLE
        30: any8,  // BSS_SHORT_SLOT_TIME
        31: .octets(26...26),  // HT_CAPABILITY
        33: .octets(2...3),  // REG_ALPHA2
        36: .octets(0...32),  // BSS_BASIC_RATES
        38: any32,  // WIPHY_FREQ
        42: .elements,  // IE
        44: .list(any32),  // SCAN_FREQUENCIES
        45: .list(.octets(0...32)),  // SCAN_SSIDS
        51: .octets(0...maximumData),  // FRAME
        52: .octets(1...32),  // SSID; START_AP refuses an empty one
        53: .u32(0...4),  // AUTH_TYPE; START_AP refuses the types of FILS, and the number of any type
        54: any16,  // REASON_CODE
        55: .u32(0...2),  // KEY_TYPE
        67: .octets(8...8),  // STA_FLAGS2
        68: .flag,  // CONTROL_PORT
        70: .flag,  // PRIVACY
        73: .words(5),  // CIPHER_SUITES_PAIRWISE: NL80211_MAX_NR_CIPHER_SUITES
        74: any32,  // CIPHER_SUITE_GROUP
        75: .u32(0...7),  // WPA_VERSIONS
        76: .words(2),  // AKM_SUITES: NL80211_MAX_NR_AKM_SUITES
        80: .nest(key),  // KEY
        91: .octets(0...64),  // FRAME_MATCH
        93: .u32(0...1),  // PS_STATE
        96: any8,  // AP_ISOLATE
        101: any16,  // FRAME_TYPE
        102: any16,  // CONTROL_PORT_ETHERTYPE
        103: .flag,  // CONTROL_PORT_NO_ENCRYPT
        109: any16,  // BSS_HT_OPMODE
        126: .u32(0...2),  // HIDDEN_SSID
        127: .elements,  // IE_PROBE_RESP
        128: .elements,  // IE_ASSOC_RESP
        129: .nest([1: .u8(0...15), 2: .u8(0...3)]),  // STA_WME: UAPSD_QUEUES, MAX_SP
        142: .flag,  // DONT_WAIT_FOR_ACK
        145: .octets(0...maximumData),  // PROBE_RESP
        150: any16,  // INACTIVITY_TIMEOUT
        157: .octets(12...12),  // VHT_CAPABILITY
        158: any32,  // SCAN_FLAGS
        159: any32,  // CHANNEL_WIDTH
        160: any32,  // CENTER_FREQ1
        171: any16,  // STA_CAPABILITY
        172: .octets(0...255),  // STA_EXT_CAPABILITY
        174: .flag,  // SPLIT_WIPHY_DUMP
        204: .flag,  // SOCKET_OWNER
        254: .octets(32...32),  // PMK, of START_AP
        264: .flag,  // CONTROL_PORT_OVER_NL80211
        269: .heCapability,  // HE_CAPABILITY
        277: .octets(1...128),  // SAE_PASSWORD
        286: .flag,  // CONTROL_PORT_NO_PREAUTH
        298: .u8(1...3),  // SAE_PWE
    ]

    /// `nl80211_key_policy`.
    private static let key: [UInt16: Rule] = [
        1: .octets(0...32),  // DATA
        2: .u8(0...7),  // IDX
        3: any32,  // CIPHER
        4: .octets(0...16),  // SEQ
        5: .flag,  // DEFAULT
        6: .flag,  // DEFAULT_MGMT
        7: .u32(0...2),  // TYPE
        8: .nest([1: .flag, 2: .flag]),  // DEFAULT_TYPES
    ]

    /// What a command's handler reads, and what it refuses to do without.
    public struct Command: Sendable {
        var required: Set<UInt16>
        var read: Set<UInt16>

        init(_ required: Set<UInt16>, _ optional: Set<UInt16> = []) {
            self.required = required
            read = required.union(optional)
        }
    }

    private static let beacon: Set<UInt16> = [15, 42, 127, 128, 145]

    /// What the kernel takes with each command.
    public static let commands: [UInt8: Command] = [
        1: Command([], [174]),  // GET_WIPHY
        5: Command([], [1, 3]),  // GET_INTERFACE
        6: Command([3], [5]),  // SET_INTERFACE
        7: Command([1, 4], [5, 6, 204]),  // NEW_INTERFACE
        8: Command([3]),  // DEL_INTERFACE
        9: Command([3, 8], [6, 55]),  // GET_KEY
        10: Command([3, 80]),  // SET_KEY
        11: Command([3, 80], [6]),  // NEW_KEY
        12: Command([3, 80], [6]),  // DEL_KEY
        14: Command([3, 14], beacon),  // SET_BEACON
        15: Command(  // START_AP
            [3, 12, 13, 14],
            beacon.union([
                38, 52, 53, 68, 70, 73, 74, 75, 76, 102, 103, 126, 150, 159, 160, 204, 254, 264, 277, 286, 298,
            ])),
        16: Command([3]),  // STOP_AP
        17: Command([3], [6]),  // GET_STATION
        18: Command([3, 6], [16, 18, 19, 67, 171, 172, 31, 157, 269, 129]),  // SET_STATION
        19: Command([3, 6, 16, 18, 19], [31, 67, 129, 157, 171, 172, 269]),  // NEW_STATION
        20: Command([3], [6, 54]),  // DEL_STATION
        25: Command([3], [28, 29, 30, 36, 96, 109]),  // SET_BSS
        27: Command([33]),  // REQ_SET_REG
        31: Command([], [1]),  // GET_REG
        32: Command([3]),  // GET_SCAN
        33: Command([3], [44, 45, 158]),  // TRIGGER_SCAN
        50: Command([3]),  // GET_SURVEY
        58: Command([3, 91], [101]),  // REGISTER_FRAME
        59: Command([3, 51], [38, 142]),  // FRAME
        61: Command([3, 93]),  // SET_POWER_SAVE
        83: Command([3]),  // UNEXPECTED_FRAME
        84: Command([3, 6]),  // PROBE_CLIENT
        114: Command([3]),  // ABORT_SCAN
        129: Command([3, 6, 51, 102], [103, 142]),  // CONTROL_PORT_FRAME
    ]
}

extension KernelPolicy {
    /// What the kernel would object to in a request, in words; empty when nothing.
    /// - Parameter message: the whole message.
    public static func objections(to message: [UInt8]) -> [String] {
        var reader = NetlinkMessageReader(message.span.bytes)
        guard let request = reader.next(), let header = GenericHeader(request.payload) else { return ["no message"] }
        guard Int(request.header.length) == message.count else { return ["more than one message"] }
        guard let command = commands[header.command] else { return ["command \(header.command) is not known"] }
        var objections: [String] = []
        var seen: Set<UInt16> = []
        check(GenericHeader.attributes(of: request.payload), attributes, "", &objections, &seen)
        for type in command.required.subtracting(seen).sorted() { objections.append("\(type) is missing") }
        for type in seen.subtracting(command.read).sorted() { objections.append("\(type) is not read") }
        return objections
    }

    private static func check(
        _ reader: consuming NetlinkAttributes, _ rules: [UInt16: Rule], _ path: String, _ objections: inout [String],
        _ seen: inout Set<UInt16>
    ) {
        while let attribute = reader.next() {
            let name = "\(path)\(attribute.type)"
            if !seen.insert(attribute.type).inserted { objections.append("\(name) is there twice") }
            guard let rule = rules[attribute.type] else {
                objections.append("\(name) is not known")
                continue
            }
            if let objection = check(attribute.bytes, rule, name, &objections) {
                objections.append("\(name) \(objection)")
            }
        }
        if reader.isMalformed { objections.append("\(path) is cut off") }
    }

    private static func check(
        _ payload: [UInt8], _ rule: Rule, _ name: String, _ objections: inout [String]
    ) -> String? {
        func integer<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) -> String? {
            guard payload.count == MemoryLayout<Value>.size else { return "has \(payload.count) octets" }
            let value = payload.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
            return range.contains(value) ? nil : "is \(value)"
        }
        switch rule {
        case .u8(let range): return integer(range)
        case .u16(let range): return integer(range)
        case .u32(let range): return integer(range)
        case .flag: return payload.isEmpty ? nil : "is a flag with octets"
        case .octets(let range): return range.contains(payload.count) ? nil : "has \(payload.count) octets"
        case .text(let count):
            return payload.last == 0 && payload.count <= count + 1 && !payload.dropLast().contains(0)
                ? nil : "is no text of \(count)"
        case .words(let count):
            return payload.count % 4 == 0 && payload.count <= 4 * count ? nil : "has \(payload.count) octets"
        case .nest(let rules):
            var seen: Set<UInt16> = []
            check(NetlinkAttributes(payload.span.bytes), rules, name + ".", &objections, &seen)
            return nil
        case .list(let rule):
            var reader = NetlinkAttributes(payload.span.bytes)
            while let item = reader.next() {
                if let objection = check(item.bytes, rule, name, &objections) { return objection }
            }
            return reader.isMalformed ? "is cut off" : nil
        case .elements: return areElements(payload[...]) ? nil : "is no elements"
        case .beaconHead:
            // Header, timestamp, interval, capabilities; then elements.
            return payload.count >= 36 && areElements(payload.dropFirst(36)) ? nil : "is no beacon"
        case .heCapability:
            // MAC and PHY capabilities, and at least one set of MCS.
            return (21...54).contains(payload.count) ? nil : "has \(payload.count) octets"
        }
    }

    private static func areElements(_ octets: ArraySlice<UInt8>) -> Bool {
        var rest = octets
        while !rest.isEmpty {
            guard rest.count >= 2, rest.count >= 2 + Int(rest[rest.startIndex + 1]) else { return false }
            rest = rest.dropFirst(2 + Int(rest[rest.startIndex + 1]))
        }
        return true
    }
}
