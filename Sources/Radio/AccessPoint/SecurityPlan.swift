import IEEE80211
import Stations

/// What a radio reports that bears on security.
struct SecurityAbilities: Hashable, Sendable {
    /// Whether it associates stations by itself.
    var associates: Bool
    /// Whether it does the 4-way handshake of an access point with a PSK.
    var offloadsHandshake: Bool
    /// Whether it does SAE as an access point.
    var offloadsSAE: Bool
    /// The ciphers it can.
    var ciphers: [CipherSuite]

    /// Who does what on it.
    var kind: StationsConfiguration.Kind { associates ? offloadsHandshake ? .offloaded : .fullMAC : .softMAC }
}

/// What the beacon says of security, and what the chip is given for it.
struct SecurityPlan: Hashable, Sendable {
    let kind: StationsConfiguration.Kind
    let rsn: RSNElement
    let rsnExtension: RSNXElement?
    /// Whether stations may use WPA2-PSK.
    let offersPSK: Bool
    /// Whether stations may use SAE.
    let offersSAE: Bool

    /// Plans for a radio.
    /// - Returns: nil where the radio can't do what is asked: SAE alone on a chip that has none.
    init?(_ security: AccessPointConfiguration.Security, abilities: SecurityAbilities) {
        guard abilities.ciphers.contains(.ccmp) else { return nil }
        kind = abilities.kind
        // SAE needs protected management frames (12.6.1.2), and someone to do it: us, or the chip.
        let hasProtection = abilities.ciphers.contains(.bipCMAC128)
        let canSAE =
            switch kind {
            case .softMAC: hasProtection
            case .fullMAC: false
            case .offloaded: hasProtection && abilities.offloadsSAE
            }
        switch security {
        case .wpa2: (offersPSK, offersSAE) = (true, false)
        case .wpa3:
            guard canSAE else { return nil }
            (offersPSK, offersSAE) = (false, true)
        case .transition: (offersPSK, offersSAE) = (true, canSAE)
        }
        // Firmware writes its own RSN element from what it finds in ours (brcmf_configure_wpaie), and puts that one
        // into message 3 too, or lets us do so: it must be the same. Protection that SAE does not call for is therefore
        // left out on such chips; replay counters stand for WMM there, and must be announced.
        var capabilities: RSNCapabilities = [.sixteenPairwiseReplayCounters]
        let protects = offersSAE || (kind == .softMAC && hasProtection)
        if protects { capabilities.insert(.managementFrameProtectionCapable) }
        if !offersPSK { capabilities.insert(.managementFrameProtectionRequired) }
        rsn = RSNElement(
            group: .ccmp, pairwise: [.ccmp], akms: (offersPSK ? [.psk] : []) + (offersSAE ? [.sae] : []),
            capabilities: capabilities, groupManagement: protects ? .bipCMAC128 : nil)
        rsnExtension = offersSAE && kind == .softMAC ? RSNXElement(hashToElement: true) : nil
    }

    /// Whether management frames are protected for stations that can.
    var protectsManagementFrames: Bool { rsn.capabilities.contains(.managementFrameProtectionCapable) }
}
