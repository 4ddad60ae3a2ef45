/// Netlink attributes, written and read independently of the product, for a mock that judges what the product sends.
struct Attribute {
    var type: UInt16
    var payload: [UInt8]

    static let nested: UInt16 = 0x8000

    /// Splits a message's attributes; nil when a length does not fit.
    static func parse(_ bytes: ArraySlice<UInt8>) -> [Attribute]? {
        var result: [Attribute] = []
        var rest = bytes
        while rest.count >= 4 {
            let start = rest.startIndex
            let length = Int(rest[start]) | Int(rest[start + 1]) << 8
            let type = UInt16(rest[start + 2]) | UInt16(rest[start + 3]) << 8
            guard length >= 4, length <= rest.count else { return nil }
            result.append(Attribute(type: type & 0x3FFF, payload: Array(rest[start + 4..<start + length])))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return rest.isEmpty ? result : nil
    }

    static func write(_ type: Int, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count + 4
        return [UInt8(length & 0xFF), UInt8(length >> 8), UInt8(type & 0xFF), UInt8(type >> 8)] + payload
            + [UInt8](repeating: 0, count: (4 - length % 4) % 4)
    }

    static func write(_ type: Int, u32 value: UInt32) -> [UInt8] { write(type, bytes(value)) }
    static func write(_ type: Int, u16 value: UInt16) -> [UInt8] { write(type, bytes(value)) }
    static func write(_ type: Int, u8 value: UInt8) -> [UInt8] { write(type, [value]) }
    static func write(_ type: Int, u64 value: UInt64) -> [UInt8] { write(type, bytes(value)) }
    static func write(_ type: Int, string: String) -> [UInt8] { write(type, Array(string.utf8) + [0]) }
    static func write(_ type: Int, nested: [[UInt8]]) -> [UInt8] { write(type, nested.flatMap { $0 }) }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    var u32: UInt32 { payload.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    var u16: UInt16 { payload.prefix(2).reversed().reduce(0) { $0 << 8 | UInt16($1) } }
    var u8: UInt8 { payload.first ?? 0 }
    var u32s: [UInt32] {
        stride(from: 0, to: payload.count - 3, by: 4).map {
            Attribute(type: 0, payload: Array(payload[$0..<$0 + 4])).u32
        }
    }
    var children: [Attribute] { Attribute.parse(payload[...]) ?? [] }
}

/// A request as the mock has read it.
struct MockRequest {
    var command: UInt8
    var attributes: [UInt16: Attribute] = [:]
    var isDump = false

    subscript(_ type: Int) -> Attribute? { attributes[UInt16(type)] }
    var interface: Int? { self[A.ifindex].map { Int($0.u32) } }
    var mac: [UInt8]? { self[A.mac]?.payload }
}

/// Commands of nl80211 by their numbers in linux/nl80211.h.
enum C {
    static let getWiphy: UInt8 = 1, newWiphy: UInt8 = 3, delWiphy: UInt8 = 4
    static let getInterface: UInt8 = 5, setInterface: UInt8 = 6, newInterface: UInt8 = 7, delInterface: UInt8 = 8
    static let getKey: UInt8 = 9, setKey: UInt8 = 10, newKey: UInt8 = 11, delKey: UInt8 = 12
    static let setBeacon: UInt8 = 14, startAP: UInt8 = 15, stopAP: UInt8 = 16
    static let getStation: UInt8 = 17, setStation: UInt8 = 18, newStation: UInt8 = 19, delStation: UInt8 = 20
    static let setBSS: UInt8 = 25, reqSetReg: UInt8 = 27, getReg: UInt8 = 31
    static let getScan: UInt8 = 32, triggerScan: UInt8 = 33, newScanResults: UInt8 = 34, scanAborted: UInt8 = 35
    static let regChange: UInt8 = 36, getSurvey: UInt8 = 50, abortScan: UInt8 = 114
    static let registerFrame: UInt8 = 58, frame: UInt8 = 59, frameTxStatus: UInt8 = 60
    static let unexpectedFrame: UInt8 = 83, probeClient: UInt8 = 84, connectionFailed: UInt8 = 91,
        controlPortFrame: UInt8 = 129
}

/// Attributes of nl80211 by their numbers in linux/nl80211.h.
enum A {
    static let wiphy = 1, wiphyName = 2, ifindex = 3, ifname = 4, iftype = 5, mac = 6
    static let keyData = 7, keyIndex = 8, keyCipher = 9, keySequence = 10, keyDefault = 11
    static let beaconInterval = 12, dtimPeriod = 13, beaconHead = 14, beaconTail = 15
    static let staAID = 16, staFlags = 17, staListenInterval = 18, staRates = 19, staInfo = 21, wiphyBands = 22
    static let bssCTS = 28, bssShortPreamble = 29, bssShortSlot = 30, htCapability = 31, supportedIftypes = 32
    static let alpha2 = 33, basicRates = 36, wiphyFreq = 38, channelType = 39, keyDefaultMgmt = 40, ie = 42
    static let scanFrequencies = 44, scanSSIDs = 45, generation = 46, bss = 47, supportedCommands = 50, frame = 51
    static let ssid = 52, authType = 53, reasonCode = 54, keyType = 55, cipherSuites = 57, staFlags2 = 67
    static let controlPort = 68, privacy = 70, pairwise = 73, group = 74, wpaVersions = 75, akms = 76
    static let key = 80, surveyInfo = 84, duration = 87, cookie = 88, frameMatch = 91, ack = 92, apIsolate = 96
    static let frameType = 101, controlPortEthertype = 102, controlPortNoEncrypt = 103, offchannelOK = 108
    static let htOpmode = 109, keyDefaultTypes = 110, hiddenSSID = 126, ieProbeResponse = 127
    static let ieAssocResponse = 128, staWME = 129, noCCK = 135, deviceAPSME = 141, dontWaitForACK = 142
    static let featureFlags = 143, probeResponse = 145, inactivityTimeout = 150, signal = 151, wdev = 153
    static let connectionFailedReason = 155
    static let vhtCapability = 157, scanFlags = 158, channelWidth = 159, centerFreq1 = 160, centerFreq2 = 161
    static let staCapability = 171, staExtCapability = 172, splitWiphyDump = 174, staChannels = 189
    static let staOperatingClasses = 190, maxStations = 202, socketOwner = 204, smps = 213, extFeatures = 217
    static let pmk = 254, controlPortOverNL80211 = 264, heCapability = 269, saePassword = 277, saePWE = 298
    static let controlPortNoPreauth = 286
}

/// How long an attribute may be (net/wireless/nl80211.c, nl80211_policy).
enum Policy {
    case exact(Int)
    case atMost(Int)
    case range(ClosedRange<Int>)
    case nested

    func admits(_ attribute: Attribute) -> Bool {
        switch self {
        case .exact(let count): attribute.payload.count == count
        case .atMost(let limit): attribute.payload.count <= limit
        case .range(let range): range.contains(attribute.payload.count)
        case .nested: Attribute.parse(attribute.payload[...]) != nil
        }
    }

    static let flag = Policy.exact(0), u8 = Policy.exact(1), u16 = Policy.exact(2), u32 = Policy.exact(4)
    static let frame = Policy.atMost(2304), address = Policy.exact(6)

    static let table: [Int: Policy] = [
        A.wiphy: u32, A.wiphyName: .atMost(20), A.ifindex: u32, A.ifname: .atMost(16), A.iftype: u32, A.mac: address,
        A.keyData: .atMost(32), A.keyIndex: u8, A.keyCipher: u32, A.keySequence: .atMost(16), A.keyDefault: flag,
        A.keyDefaultMgmt: flag, A.keyType: u32, A.key: .nested, A.keyDefaultTypes: .nested, A.beaconInterval: u32,
        A.dtimPeriod: u32, A.beaconHead: frame, A.beaconTail: frame, A.staAID: u16, A.staFlags: .nested,
        A.staListenInterval: u16, A.staRates: .atMost(32), A.bssCTS: u8, A.bssShortPreamble: u8, A.bssShortSlot: u8,
        A.htCapability: .exact(26), A.alpha2: .range(2...3), A.basicRates: .atMost(32), A.wiphyFreq: u32,
        A.channelType: u32, A.ie: frame, A.scanFrequencies: .nested, A.scanSSIDs: .nested, A.frame: frame,
        A.ssid: .atMost(32), A.authType: u32, A.reasonCode: u16, A.staFlags2: .exact(8), A.controlPort: flag,
        A.privacy: flag, A.pairwise: .range(4...20), A.group: u32, A.wpaVersions: u32, A.akms: .range(4...40),
        A.duration: u32, A.cookie: .exact(8), A.frameMatch: .atMost(256), A.apIsolate: u8, A.frameType: u16,
        A.controlPortEthertype: u16, A.controlPortNoEncrypt: flag, A.offchannelOK: flag, A.htOpmode: u16,
        A.hiddenSSID: u32, A.ieProbeResponse: frame, A.ieAssocResponse: frame, A.staWME: .nested, A.noCCK: flag,
        A.dontWaitForACK: flag, A.probeResponse: frame, A.inactivityTimeout: u16, A.wdev: .exact(8),
        A.vhtCapability: .exact(12), A.scanFlags: u32, A.channelWidth: u32, A.centerFreq1: u32, A.centerFreq2: u32,
        A.staCapability: u16, A.staExtCapability: .atMost(255), A.splitWiphyDump: flag, A.staChannels: .range(2...255),
        A.staOperatingClasses: .range(2...253), A.socketOwner: flag, A.smps: u8, A.pmk: .atMost(64),
        A.controlPortOverNL80211: flag, A.heCapability: .range(17...54), A.saePassword: .atMost(128), A.saePWE: u8,
        A.controlPortNoPreauth: flag,
    ]
}
