/// The attributes of nl80211 (`enum nl80211_attrs`, linux/nl80211.h) that this project reads or writes.
enum Attribute {
    /// `NL80211_ATTR_WIPHY`.
    static let wiphy: UInt16 = 1
    /// `NL80211_ATTR_WIPHY_NAME`.
    static let wiphyName: UInt16 = 2
    /// `NL80211_ATTR_IFINDEX`.
    static let interface: UInt16 = 3
    /// `NL80211_ATTR_IFNAME`.
    static let interfaceName: UInt16 = 4
    /// `NL80211_ATTR_IFTYPE`.
    static let interfaceType: UInt16 = 5
    /// `NL80211_ATTR_MAC`.
    static let mac: UInt16 = 6
    /// `NL80211_ATTR_KEY_IDX`.
    static let keyIndex: UInt16 = 8
    /// `NL80211_ATTR_KEY_SEQ`.
    static let keySequence: UInt16 = 10
    /// `NL80211_ATTR_KEY_TYPE`.
    static let keyType: UInt16 = 55
    /// `NL80211_ATTR_BEACON_INTERVAL`.
    static let beaconInterval: UInt16 = 12
    /// `NL80211_ATTR_DTIM_PERIOD`.
    static let dtimPeriod: UInt16 = 13
    /// `NL80211_ATTR_BEACON_HEAD`.
    static let beaconHead: UInt16 = 14
    /// `NL80211_ATTR_BEACON_TAIL`.
    static let beaconTail: UInt16 = 15
    /// `NL80211_ATTR_STA_AID`.
    static let stationAID: UInt16 = 16
    /// `NL80211_ATTR_STA_LISTEN_INTERVAL`.
    static let stationListenInterval: UInt16 = 18
    /// `NL80211_ATTR_STA_SUPPORTED_RATES`.
    static let stationSupportedRates: UInt16 = 19
    /// `NL80211_ATTR_STA_INFO`.
    static let stationInfo: UInt16 = 21
    /// `NL80211_ATTR_WIPHY_BANDS`.
    static let bands: UInt16 = 22
    /// `NL80211_ATTR_SUPPORTED_IFTYPES`.
    static let supportedInterfaceTypes: UInt16 = 32
    /// `NL80211_ATTR_REG_ALPHA2`.
    static let regulatoryAlpha2: UInt16 = 33
    /// `NL80211_ATTR_REG_RULES`.
    static let regulatoryRules: UInt16 = 34
    /// `NL80211_ATTR_BSS_CTS_PROT`.
    static let bssCTSProtection: UInt16 = 28
    /// `NL80211_ATTR_BSS_SHORT_PREAMBLE`.
    static let bssShortPreamble: UInt16 = 29
    /// `NL80211_ATTR_BSS_SHORT_SLOT_TIME`.
    static let bssShortSlotTime: UInt16 = 30
    /// `NL80211_ATTR_HT_CAPABILITY`.
    static let htCapability: UInt16 = 31
    /// `NL80211_ATTR_BSS_BASIC_RATES`.
    static let bssBasicRates: UInt16 = 36
    /// `NL80211_ATTR_MAX_NUM_SCAN_SSIDS`.
    static let maximumScanSSIDs: UInt16 = 43
    /// `NL80211_ATTR_SCAN_FREQUENCIES`.
    static let scanFrequencies: UInt16 = 44
    /// `NL80211_ATTR_SCAN_SSIDS`.
    static let scanSSIDs: UInt16 = 45
    /// `NL80211_ATTR_BSS`.
    static let bss: UInt16 = 47
    /// `NL80211_ATTR_SUPPORTED_COMMANDS`.
    static let supportedCommands: UInt16 = 50
    /// `NL80211_ATTR_FRAME`.
    static let frame: UInt16 = 51
    /// `NL80211_ATTR_SSID`.
    static let ssid: UInt16 = 52
    /// `NL80211_ATTR_AUTH_TYPE`.
    static let authenticationType: UInt16 = 53
    /// `NL80211_ATTR_REASON_CODE`.
    static let reasonCode: UInt16 = 54
    /// `NL80211_ATTR_CIPHER_SUITES`.
    static let cipherSuites: UInt16 = 57
    /// `NL80211_ATTR_WIPHY_FREQ`.
    static let frequency: UInt16 = 38
    /// `NL80211_ATTR_IE`.
    static let elements: UInt16 = 42
    /// `NL80211_ATTR_STA_FLAGS2`.
    static let stationFlags2: UInt16 = 67
    /// `NL80211_ATTR_CONTROL_PORT`.
    static let controlPort: UInt16 = 68
    /// `NL80211_ATTR_PRIVACY`.
    static let privacy: UInt16 = 70
    /// `NL80211_ATTR_CIPHER_SUITES_PAIRWISE`.
    static let pairwiseCipherSuites: UInt16 = 73
    /// `NL80211_ATTR_CIPHER_SUITE_GROUP`.
    static let groupCipherSuite: UInt16 = 74
    /// `NL80211_ATTR_WPA_VERSIONS`.
    static let wpaVersions: UInt16 = 75
    /// `NL80211_ATTR_AKM_SUITES`.
    static let akmSuites: UInt16 = 76
    /// `NL80211_ATTR_KEY`.
    static let key: UInt16 = 80
    /// `NL80211_ATTR_SURVEY_INFO`.
    static let surveyInfo: UInt16 = 84
    /// `NL80211_ATTR_COOKIE`.
    static let cookie: UInt16 = 88
    /// `NL80211_ATTR_FRAME_MATCH`.
    static let frameMatch: UInt16 = 91
    /// `NL80211_ATTR_ACK`.
    static let acknowledged: UInt16 = 92
    /// `NL80211_ATTR_PS_STATE`.
    static let powerSaveState: UInt16 = 93
    /// `NL80211_ATTR_FRAME_TYPE`.
    static let frameType: UInt16 = 101
    /// `NL80211_ATTR_CONTROL_PORT_ETHERTYPE`.
    static let controlPortEthertype: UInt16 = 102
    /// `NL80211_ATTR_CONTROL_PORT_NO_ENCRYPT`.
    static let controlPortNoEncrypt: UInt16 = 103
    /// `NL80211_ATTR_RX_FRAME_TYPES`.
    static let receivableFrameTypes: UInt16 = 100
    /// `NL80211_ATTR_BSS_HT_OPMODE`.
    static let bssHTOperationMode: UInt16 = 109
    /// `NL80211_ATTR_WDEV`.
    static let wdev: UInt16 = 153
    /// `NL80211_ATTR_HIDDEN_SSID`.
    static let hiddenSSID: UInt16 = 126
    /// `NL80211_ATTR_IE_PROBE_RESP`.
    static let probeResponseElements: UInt16 = 127
    /// `NL80211_ATTR_IE_ASSOC_RESP`.
    static let associationResponseElements: UInt16 = 128
    /// `NL80211_ATTR_STA_WME`.
    static let stationWME: UInt16 = 129
    /// `NL80211_ATTR_SUPPORT_AP_UAPSD`.
    static let apUAPSD: UInt16 = 130
    /// `NL80211_ATTR_DEVICE_AP_SME`.
    static let deviceAPSME: UInt16 = 141
    /// `NL80211_ATTR_DONT_WAIT_FOR_ACK`.
    static let dontWaitForAcknowledgement: UInt16 = 142
    /// `NL80211_ATTR_FEATURE_FLAGS`.
    static let featureFlags: UInt16 = 143
    /// `NL80211_ATTR_PROBE_RESP_OFFLOAD`.
    static let probeResponseOffload: UInt16 = 144
    /// `NL80211_ATTR_PROBE_RESP`.
    static let probeResponse: UInt16 = 145
    /// `NL80211_ATTR_DFS_REGION`.
    static let dfsRegion: UInt16 = 146
    /// `NL80211_ATTR_RX_SIGNAL_DBM`.
    static let receivedSignal: UInt16 = 151
    /// `NL80211_ATTR_INACTIVITY_TIMEOUT`.
    static let inactivityTimeout: UInt16 = 150
    /// `NL80211_ATTR_AP_ISOLATE`.
    static let apIsolate: UInt16 = 96
    /// `NL80211_ATTR_VHT_CAPABILITY`.
    static let vhtCapability: UInt16 = 157
    /// `NL80211_ATTR_SCAN_FLAGS`.
    static let scanFlags: UInt16 = 158
    /// `NL80211_ATTR_CHANNEL_WIDTH`.
    static let channelWidth: UInt16 = 159
    /// `NL80211_ATTR_CENTER_FREQ1`.
    static let centerFrequency1: UInt16 = 160
    /// `NL80211_ATTR_CONN_FAILED_REASON`.
    static let connectionFailedReason: UInt16 = 155
    /// `NL80211_ATTR_RADAR_EVENT`.
    static let radarEvent: UInt16 = 168
    /// `NL80211_ATTR_STA_CAPABILITY`.
    static let stationCapability: UInt16 = 171
    /// `NL80211_ATTR_STA_EXT_CAPABILITY`.
    static let stationExtendedCapability: UInt16 = 172
    /// `NL80211_ATTR_SPLIT_WIPHY_DUMP`.
    static let splitWiphyDump: UInt16 = 174
    /// `NL80211_ATTR_EXT_CAPA`.
    static let extendedCapabilities: UInt16 = 169
    /// `NL80211_ATTR_WIPHY_SELF_MANAGED_REG`.
    static let selfManagedRegulatory: UInt16 = 216
    /// `NL80211_ATTR_SOCKET_OWNER`.
    static let socketOwner: UInt16 = 204
    /// `NL80211_ATTR_MAX_AP_ASSOC_STA`.
    static let maximumStations: UInt16 = 202
    /// `NL80211_ATTR_EXT_FEATURES`.
    static let extendedFeatures: UInt16 = 217
    /// `NL80211_ATTR_PMK`.
    static let pmk: UInt16 = 254
    /// `NL80211_ATTR_HE_CAPABILITY`.
    static let heCapability: UInt16 = 269
    /// `NL80211_ATTR_CONTROL_PORT_OVER_NL80211`.
    static let controlPortOverNL80211: UInt16 = 264
    /// `NL80211_ATTR_SAE_PASSWORD`.
    static let saePassword: UInt16 = 277
    /// `NL80211_ATTR_CONTROL_PORT_NO_PREAUTH`.
    static let controlPortNoPreauthentication: UInt16 = 286
    /// `NL80211_ATTR_SAE_PWE`.
    static let saePWE: UInt16 = 298
}

/// Within ``Attribute/key`` (`enum nl80211_key_attributes`).
enum KeyAttribute {
    /// `NL80211_KEY_DATA`.
    static let data: UInt16 = 1
    /// `NL80211_KEY_IDX`.
    static let index: UInt16 = 2
    /// `NL80211_KEY_CIPHER`.
    static let cipher: UInt16 = 3
    /// `NL80211_KEY_SEQ`.
    static let sequence: UInt16 = 4
    /// `NL80211_KEY_DEFAULT`.
    static let isDefault: UInt16 = 5
    /// `NL80211_KEY_DEFAULT_MGMT`.
    static let isDefaultManagement: UInt16 = 6
    /// `NL80211_KEY_TYPE`.
    static let type: UInt16 = 7
    /// `NL80211_KEY_DEFAULT_TYPES`.
    static let defaultTypes: UInt16 = 8
}

/// Within ``KeyAttribute/defaultTypes``.
enum KeyDefaultType {
    /// `NL80211_KEY_DEFAULT_TYPE_MULTICAST`.
    static let multicast: UInt16 = 2
}

/// Within ``Attribute/stationWME``.
enum WMEAttribute {
    /// `NL80211_STA_WME_UAPSD_QUEUES`.
    static let uapsdQueues: UInt16 = 1
    /// `NL80211_STA_WME_MAX_SP`.
    static let maximumServicePeriod: UInt16 = 2
}

/// Within each of ``Attribute/bands`` (`enum nl80211_band_attr`).
enum BandAttribute {
    /// `NL80211_BAND_ATTR_FREQS`.
    static let frequencies: UInt16 = 1
    /// `NL80211_BAND_ATTR_RATES`.
    static let rates: UInt16 = 2
    /// `NL80211_BAND_ATTR_HT_MCS_SET`.
    static let htMCSSet: UInt16 = 3
    /// `NL80211_BAND_ATTR_HT_CAPA`.
    static let htCapabilities: UInt16 = 4
    /// `NL80211_BAND_ATTR_HT_AMPDU_FACTOR`.
    static let htAMPDUFactor: UInt16 = 5
    /// `NL80211_BAND_ATTR_HT_AMPDU_DENSITY`.
    static let htAMPDUDensity: UInt16 = 6
    /// `NL80211_BAND_ATTR_VHT_MCS_SET`.
    static let vhtMCSSet: UInt16 = 7
    /// `NL80211_BAND_ATTR_VHT_CAPA`.
    static let vhtCapabilities: UInt16 = 8
    /// `NL80211_BAND_ATTR_IFTYPE_DATA`.
    static let interfaceTypeData: UInt16 = 9
}

/// Within each of ``BandAttribute/interfaceTypeData``.
enum BandInterfaceTypeAttribute {
    /// `NL80211_BAND_IFTYPE_ATTR_IFTYPES`.
    static let types: UInt16 = 1
    /// `NL80211_BAND_IFTYPE_ATTR_HE_CAP_MAC`.
    static let heMAC: UInt16 = 2
    /// `NL80211_BAND_IFTYPE_ATTR_HE_CAP_PHY`.
    static let hePHY: UInt16 = 3
    /// `NL80211_BAND_IFTYPE_ATTR_HE_CAP_MCS_SET`.
    static let heMCSSet: UInt16 = 4
    /// `NL80211_BAND_IFTYPE_ATTR_HE_CAP_PPE`.
    static let hePPE: UInt16 = 5
}

/// Within each of ``BandAttribute/frequencies`` (`enum nl80211_frequency_attr`).
enum FrequencyAttribute {
    /// `NL80211_FREQUENCY_ATTR_FREQ`.
    static let frequency: UInt16 = 1
    /// `NL80211_FREQUENCY_ATTR_DISABLED`.
    static let disabled: UInt16 = 2
    /// `NL80211_FREQUENCY_ATTR_NO_IR`.
    static let noInitiation: UInt16 = 3
    /// `NL80211_FREQUENCY_ATTR_RADAR`.
    static let radar: UInt16 = 5
    /// `NL80211_FREQUENCY_ATTR_MAX_TX_POWER`.
    static let maximumPower: UInt16 = 6
    /// `NL80211_FREQUENCY_ATTR_NO_HT40_MINUS`.
    static let noHT40Minus: UInt16 = 9
    /// `NL80211_FREQUENCY_ATTR_NO_HT40_PLUS`.
    static let noHT40Plus: UInt16 = 10
    /// `NL80211_FREQUENCY_ATTR_NO_80MHZ`.
    static let no80MHz: UInt16 = 11
    /// `NL80211_FREQUENCY_ATTR_INDOOR_ONLY`.
    static let indoorOnly: UInt16 = 14
    /// `NL80211_FREQUENCY_ATTR_NO_20MHZ`.
    static let no20MHz: UInt16 = 16
    /// `NL80211_FREQUENCY_ATTR_NO_HE`.
    static let noHE: UInt16 = 19
}

/// Within each of ``BandAttribute/rates``.
enum BitrateAttribute {
    /// `NL80211_BITRATE_ATTR_RATE`.
    static let rate: UInt16 = 1
}

/// Within each of ``Attribute/regulatoryRules`` (`enum nl80211_reg_rule_attr`).
enum RuleAttribute {
    /// `NL80211_ATTR_REG_RULE_FLAGS`.
    static let flags: UInt16 = 1
    /// `NL80211_ATTR_FREQ_RANGE_START`.
    static let start: UInt16 = 2
    /// `NL80211_ATTR_FREQ_RANGE_END`.
    static let end: UInt16 = 3
    /// `NL80211_ATTR_FREQ_RANGE_MAX_BW`.
    static let maximumBandwidth: UInt16 = 4
    /// `NL80211_ATTR_POWER_RULE_MAX_EIRP`.
    static let maximumPower: UInt16 = 6
}

/// Within ``Attribute/surveyInfo`` (`enum nl80211_survey_info`).
enum SurveyAttribute {
    /// `NL80211_SURVEY_INFO_FREQUENCY`.
    static let frequency: UInt16 = 1
    /// `NL80211_SURVEY_INFO_NOISE`.
    static let noise: UInt16 = 2
    /// `NL80211_SURVEY_INFO_IN_USE`.
    static let inUse: UInt16 = 3
    /// `NL80211_SURVEY_INFO_TIME`.
    static let time: UInt16 = 4
    /// `NL80211_SURVEY_INFO_TIME_BUSY`.
    static let timeBusy: UInt16 = 5
}

/// Within ``Attribute/bss`` (`enum nl80211_bss`).
enum BSSAttribute {
    /// `NL80211_BSS_BSSID`.
    static let bssid: UInt16 = 1
    /// `NL80211_BSS_FREQUENCY`.
    static let frequency: UInt16 = 2
    /// `NL80211_BSS_INFORMATION_ELEMENTS`.
    static let elements: UInt16 = 6
    /// `NL80211_BSS_SIGNAL_MBM`.
    static let signalMBM: UInt16 = 7
    /// `NL80211_BSS_CAPABILITY`.
    static let capability: UInt16 = 5
    /// `NL80211_BSS_BEACON_INTERVAL`.
    static let beaconInterval: UInt16 = 4
    /// `NL80211_BSS_SEEN_MS_AGO`.
    static let seenMillisecondsAgo: UInt16 = 10
    /// `NL80211_BSS_BEACON_IES`.
    static let beaconElements: UInt16 = 11
}

/// Within ``Attribute/stationInfo`` (`enum nl80211_sta_info`).
enum StationInfoAttribute {
    /// `NL80211_STA_INFO_INACTIVE_TIME`.
    static let inactiveTime: UInt16 = 1
    /// `NL80211_STA_INFO_RX_BYTES`.
    static let receivedBytes32: UInt16 = 2
    /// `NL80211_STA_INFO_TX_BYTES`.
    static let sentBytes32: UInt16 = 3
    /// `NL80211_STA_INFO_SIGNAL`.
    static let signal: UInt16 = 7
    /// `NL80211_STA_INFO_TX_BITRATE`.
    static let transmitRate: UInt16 = 8
    /// `NL80211_STA_INFO_RX_BITRATE`.
    static let receiveRate: UInt16 = 14
    /// `NL80211_STA_INFO_TX_RETRIES`.
    static let transmitRetries: UInt16 = 11
    /// `NL80211_STA_INFO_TX_FAILED`.
    static let transmitFailed: UInt16 = 12
    /// `NL80211_STA_INFO_SIGNAL_AVG`.
    static let signalAverage: UInt16 = 13
    /// `NL80211_STA_INFO_CONNECTED_TIME`.
    static let connectedTime: UInt16 = 16
    /// `NL80211_STA_INFO_STA_FLAGS`.
    static let flags: UInt16 = 17
    /// `NL80211_STA_INFO_RX_BYTES64`.
    static let receivedBytes: UInt16 = 23
    /// `NL80211_STA_INFO_TX_BYTES64`.
    static let sentBytes: UInt16 = 24
}

/// Within a rate of a station (`enum nl80211_rate_info`).
enum RateAttribute {
    /// `NL80211_RATE_INFO_BITRATE`.
    static let rate16: UInt16 = 1
    /// `NL80211_RATE_INFO_BITRATE32`.
    static let rate: UInt16 = 5
}
