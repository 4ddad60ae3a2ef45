import IEEE80211
import NL80211
import Wire

extension Wiphy {
    var securityAbilities: SecurityAbilities {
        let (associates, psk, sae) =
            switch stationManagement {
            case .host: (false, false, false)
            case .radio: (true, false, false)
            case .radioWithHandshake(let psk, let sae): (true, psk, sae)
            }
        return SecurityAbilities(
            associates: associates, offloadsHandshake: psk, offloadsSAE: sae, ciphers: cipherSuites)
    }

    /// Whether a station can be asked if it is there.
    var canProbe: Bool { commands.contains(.probeClient) }

    /// Whether the chip answers probe requests by itself.
    var answersProbeRequests: Bool { probeResponseOffload != nil }

    private func band(_ band: RadioBand) -> WiphyBand? {
        switch band {
        case .ghz2: self.band(WiphyBand.ID.ghz2)
        case .ghz5: self.band(WiphyBand.ID.ghz5)
        }
    }

    /// What it has in a band, without HT.
    func rates(in band: RadioBand) -> SupportedRates {
        SupportedRates(hundredKilobits: (self.band(band)?.rates ?? []).map(Int.init), band: band)
    }

    func ht(in band: RadioBand) -> HTCapabilities? { self.band(band)?.ht }

    func vht(in band: RadioBand) -> VHTCapabilities? { self.band(band)?.vht }

    func he(in band: RadioBand) -> HECapabilities? { self.band(band)?.accessPointHE }

    /// Its channels of 2.4 and 5 GHz under the rules in force.
    var channelReports: [ChannelReport] {
        [RadioBand.ghz2, .ghz5].flatMap { (each: RadioBand) in band(each)?.channels ?? [] }.map { channel in
            ChannelReport(
                frequency: Int(channel.frequency), mayBegin: channel.allowsAccessPoint,
                allows80: !channel.forbids80MHz, allows40: (!channel.forbidsHT40Plus, !channel.forbidsHT40Minus),
                maximumPower: Int(channel.maximumPower ?? 0) / 100)
        }
    }

    /// What a beacon says of the country: the channels of the band that may be used.
    func countryElement(_ code: String, band: RadioBand) -> CountryElement? {
        CountryElement(
            code: code, band: band,
            channels: (self.band(band)?.channels ?? []).filter { !$0.isDisabled }.compactMap { channel in
                OperatingChannel(frequency: Int(channel.frequency), width: .mhz20NoHT).map {
                    ($0.number, UInt8(clamping: Int(channel.maximumPower ?? 0) / 100))
                }
            })
    }
}
