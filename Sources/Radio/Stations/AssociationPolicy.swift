import IEEE80211

/// A request that is refused: what the station is told, and what is remembered.
struct Refused: Error {
    let status: StatusCode
    let cause: RefusalCause

    init(_ status: StatusCode, _ cause: RefusalCause) {
        self.status = status
        self.cause = cause
    }
}

/// What a station and this access point agreed on.
struct Agreement {
    let rsn: RSNElement
    let akm: AKMSuite
    let cipher: CipherSuite
    let usesMFP: Bool
}

/// What an association request must be like to be let in (IEEE 802.11-2020, 11.3.5.3, 12.6.3).
struct AssociationPolicy {
    let description: BSSDescription

    /// Checks all of a request that does not depend on how the station authenticated.
    func check(_ elements: StationElements) throws(Refused) -> Agreement {
        guard elements.ssid == description.ssid else { throw Refused(.unspecifiedFailure, .otherNetwork) }
        // 9.4.2.3: a station must have every basic rate.
        guard !elements.rates.octets.isEmpty, description.rates.basicValues.isSubset(of: elements.rates.values) else {
            throw Refused(.basicRatesUnsupported, .basicRates)
        }
        return try agree(rsn: elements.rsn)
    }

    /// Checks a station's RSN element against ours (12.6.3).
    /// - Parameter body: the element's body; nil when there is none.
    func agree(rsn body: [UInt8]?) throws(Refused) -> Agreement {
        guard let body else { throw Refused(.invalidElement, .noRSN) }
        let rsn: RSNElement
        do {
            rsn = try RSNElement(body: body.span.bytes)
        } catch .unsupportedVersion {
            throw Refused(.unsupportedRSNVersion, .malformedRSN)
        } catch {
            throw Refused(.invalidElement, .malformedRSN)
        }
        let ours = description.rsn
        guard rsn.group == ours.group else { throw Refused(.invalidGroupCipher, .groupCipher(rsn.group)) }
        // A station chooses one of each of those offered.
        guard let cipher = rsn.pairwise.first, rsn.pairwise.count == 1, ours.pairwise.contains(cipher) else {
            throw Refused(
                .invalidPairwiseCipher,
                .pairwiseCipher(rsn.pairwise.first { !ours.pairwise.contains($0) } ?? rsn.pairwise.first ?? .useGroup))
        }
        guard let akm = rsn.akms.first, rsn.akms.count == 1, ours.akms.contains(akm) else {
            throw Refused(
                .invalidAKM,
                .akm(rsn.akms.first { !ours.akms.contains($0) } ?? rsn.akms.first ?? .ieee8021X))
        }
        return Agreement(rsn: rsn, akm: akm, cipher: cipher, usesMFP: try usesMFP(rsn, akm: akm))
    }

    /// Whether management frames will be protected (12.6.3, Table 12-5).
    private func usesMFP(_ rsn: RSNElement, akm: AKMSuite) throws(Refused) -> Bool {
        let ours = description.rsn.capabilities
        let isCapable = rsn.capabilities.contains(.managementFrameProtectionCapable)
        let isRequired =
            rsn.capabilities.contains(.managementFrameProtectionRequired)
            || ours.contains(.managementFrameProtectionRequired)
            // WPA3 specification 3.3, section 2.3: in transition mode, stations of SAE must still protect them.
            || akm.isSAE
        guard isCapable || !isRequired else {
            throw Refused(.robustManagementPolicyViolation, .managementFrameProtection)
        }
        guard isCapable, ours.contains(.managementFrameProtectionCapable) else {
            guard !rsn.capabilities.contains(.managementFrameProtectionRequired) else {
                throw Refused(.robustManagementPolicyViolation, .managementFrameProtection)
            }
            return false
        }
        // Unsaid, it is BIP with CMAC (9.4.2.24.2).
        let groupManagement = rsn.groupManagement ?? .bipCMAC128
        guard groupManagement == description.rsn.groupManagement ?? .bipCMAC128 else {
            throw Refused(.cipherRejected, .groupManagementCipher(groupManagement))
        }
        return true
    }
}

extension AssociationPolicy {
    /// What a station agreed on with a chip that has judged by itself, as far as the chip tells.
    func reported(rsn body: [UInt8]?) -> Agreement {
        if let agreement = try? agree(rsn: body) { return agreement }
        let ours = description.rsn
        return Agreement(rsn: ours, akm: ours.akms.first ?? .psk, cipher: ours.pairwise.first ?? .ccmp, usesMFP: false)
    }
}
