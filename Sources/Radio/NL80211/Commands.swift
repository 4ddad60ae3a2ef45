/// A command of nl80211 (`enum nl80211_commands`, linux/nl80211.h): what a request asks, and what a message tells.
public struct NL80211Command: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt8

    /// Makes one of its number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `NL80211_CMD_GET_WIPHY`.
    public static let getWiphy = NL80211Command(rawValue: 1)
    /// `NL80211_CMD_NEW_WIPHY`.
    public static let newWiphy = NL80211Command(rawValue: 3)
    /// `NL80211_CMD_DEL_WIPHY`.
    public static let deleteWiphy = NL80211Command(rawValue: 4)
    /// `NL80211_CMD_GET_INTERFACE`.
    public static let getInterface = NL80211Command(rawValue: 5)
    /// `NL80211_CMD_SET_INTERFACE`.
    public static let setInterface = NL80211Command(rawValue: 6)
    /// `NL80211_CMD_NEW_INTERFACE`.
    public static let newInterface = NL80211Command(rawValue: 7)
    /// `NL80211_CMD_DEL_INTERFACE`.
    public static let deleteInterface = NL80211Command(rawValue: 8)
    /// `NL80211_CMD_GET_KEY`.
    public static let getKey = NL80211Command(rawValue: 9)
    /// `NL80211_CMD_SET_KEY`.
    public static let setKey = NL80211Command(rawValue: 10)
    /// `NL80211_CMD_NEW_KEY`.
    public static let newKey = NL80211Command(rawValue: 11)
    /// `NL80211_CMD_DEL_KEY`.
    public static let deleteKey = NL80211Command(rawValue: 12)
    /// `NL80211_CMD_SET_BEACON`.
    public static let setBeacon = NL80211Command(rawValue: 14)
    /// `NL80211_CMD_START_AP`.
    public static let startAP = NL80211Command(rawValue: 15)
    /// `NL80211_CMD_STOP_AP`.
    public static let stopAP = NL80211Command(rawValue: 16)
    /// `NL80211_CMD_GET_STATION`.
    public static let getStation = NL80211Command(rawValue: 17)
    /// `NL80211_CMD_SET_STATION`.
    public static let setStation = NL80211Command(rawValue: 18)
    /// `NL80211_CMD_NEW_STATION`.
    public static let newStation = NL80211Command(rawValue: 19)
    /// `NL80211_CMD_DEL_STATION`.
    public static let deleteStation = NL80211Command(rawValue: 20)
    /// `NL80211_CMD_SET_BSS`.
    public static let setBSS = NL80211Command(rawValue: 25)
    /// `NL80211_CMD_REQ_SET_REG`.
    public static let requestSetRegulatory = NL80211Command(rawValue: 27)
    /// `NL80211_CMD_GET_REG`.
    public static let getRegulatory = NL80211Command(rawValue: 31)
    /// `NL80211_CMD_GET_SCAN`.
    public static let getScan = NL80211Command(rawValue: 32)
    /// `NL80211_CMD_TRIGGER_SCAN`.
    public static let triggerScan = NL80211Command(rawValue: 33)
    /// `NL80211_CMD_NEW_SCAN_RESULTS`.
    public static let newScanResults = NL80211Command(rawValue: 34)
    /// `NL80211_CMD_SCAN_ABORTED`.
    public static let scanAborted = NL80211Command(rawValue: 35)
    /// `NL80211_CMD_REG_CHANGE`.
    public static let regulatoryChange = NL80211Command(rawValue: 36)
    /// `NL80211_CMD_REGISTER_FRAME`.
    public static let registerFrame = NL80211Command(rawValue: 58)
    /// `NL80211_CMD_FRAME`.
    public static let frame = NL80211Command(rawValue: 59)
    /// `NL80211_CMD_FRAME_TX_STATUS`.
    public static let frameTransmitStatus = NL80211Command(rawValue: 60)
    /// `NL80211_CMD_SET_POWER_SAVE`.
    public static let setPowerSave = NL80211Command(rawValue: 61)
    /// `NL80211_CMD_GET_SURVEY`.
    public static let getSurvey = NL80211Command(rawValue: 50)
    /// `NL80211_CMD_NEW_SURVEY_RESULTS`.
    public static let newSurveyResults = NL80211Command(rawValue: 51)
    /// `NL80211_CMD_CH_SWITCH_NOTIFY`.
    public static let channelSwitchNotify = NL80211Command(rawValue: 88)
    /// `NL80211_CMD_UNEXPECTED_FRAME`.
    public static let unexpectedFrame = NL80211Command(rawValue: 83)
    /// `NL80211_CMD_PROBE_CLIENT`.
    public static let probeClient = NL80211Command(rawValue: 84)
    /// `NL80211_CMD_UNEXPECTED_4ADDR_FRAME`.
    public static let unexpected4AddressFrame = NL80211Command(rawValue: 86)
    /// `NL80211_CMD_CONN_FAILED`.
    public static let connectionFailed = NL80211Command(rawValue: 91)
    /// `NL80211_CMD_RADAR_DETECT`.
    public static let radarDetected = NL80211Command(rawValue: 94)
    /// `NL80211_CMD_WIPHY_REG_CHANGE`.
    public static let wiphyRegulatoryChange = NL80211Command(rawValue: 113)
    /// `NL80211_CMD_ABORT_SCAN`.
    public static let abortScan = NL80211Command(rawValue: 114)
    /// `NL80211_CMD_CONTROL_PORT_FRAME`.
    public static let controlPortFrame = NL80211Command(rawValue: 129)
    /// `NL80211_CMD_CONTROL_PORT_FRAME_TX_STATUS`.
    public static let controlPortFrameTransmitStatus = NL80211Command(rawValue: 139)
    /// `NL80211_CMD_UNPROT_DEAUTHENTICATE`.
    public static let unprotectedDeauthenticate = NL80211Command(rawValue: 70)
    /// `NL80211_CMD_UNPROT_DISASSOCIATE`.
    public static let unprotectedDisassociate = NL80211Command(rawValue: 71)
}

/// An extended feature of a radio (`enum nl80211_ext_feature_index`): the number of a bit.
public struct ExtendedFeature: RawRepresentable, Hashable, Sendable {
    /// The bit's number.
    public let rawValue: Int

    /// Makes one of its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// `NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211`.
    public static let controlPortOverNL80211 = ExtendedFeature(rawValue: 26)
    /// `NL80211_EXT_FEATURE_CONTROL_PORT_NO_PREAUTH`.
    public static let controlPortNoPreauthentication = ExtendedFeature(rawValue: 42)
    /// `NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211_TX_STATUS`.
    public static let controlPortTransmitStatus = ExtendedFeature(rawValue: 48)
    /// `NL80211_EXT_FEATURE_4WAY_HANDSHAKE_AP_PSK`.
    public static let fourWayHandshakeAccessPointPSK = ExtendedFeature(rawValue: 50)
    /// `NL80211_EXT_FEATURE_SAE_OFFLOAD_AP`.
    public static let saeOffloadAccessPoint = ExtendedFeature(rawValue: 51)
    /// `NL80211_EXT_FEATURE_SAE_OFFLOAD`.
    public static let saeOffload = ExtendedFeature(rawValue: 38)
    /// `NL80211_EXT_FEATURE_MULTICAST_REGISTRATIONS`.
    public static let multicastRegistrations = ExtendedFeature(rawValue: 45)
    /// `NL80211_EXT_FEATURE_BEACON_PROTECTION`.
    public static let beaconProtection = ExtendedFeature(rawValue: 41)
    /// `NL80211_EXT_FEATURE_ACK_SIGNAL_SUPPORT`.
    public static let ackSignal = ExtendedFeature(rawValue: 27)
    /// `NL80211_EXT_FEATURE_DFS_OFFLOAD`.
    public static let dfsOffload = ExtendedFeature(rawValue: 25)
}

/// What a radio can do (`enum nl80211_feature_flags`).
public struct WiphyFeatures: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt32

    /// Makes features of their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `NL80211_FEATURE_INACTIVITY_TIMER`.
    public static let inactivityTimer = WiphyFeatures(rawValue: 1 << 2)
    /// `NL80211_FEATURE_AP_SCAN`.
    public static let accessPointScan = WiphyFeatures(rawValue: 1 << 8)
    /// `NL80211_FEATURE_FULL_AP_CLIENT_STATE`.
    public static let fullAPClientState = WiphyFeatures(rawValue: 1 << 15)
    /// `NL80211_FEATURE_SAE`.
    public static let sae = WiphyFeatures(rawValue: 1 << 5)
    /// `NL80211_FEATURE_MAC_ON_CREATE`.
    public static let macOnCreate = WiphyFeatures(rawValue: 1 << 27)
}
