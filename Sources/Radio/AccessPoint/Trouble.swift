/// What keeps the access point from being as its owner wants it.
public enum AccessPointTrouble: Hashable, Sendable {
    /// There is no Wi-Fi adapter.
    case noRadio
    /// There are adapters, and none can be an access point.
    case noCapableRadio
    /// The configured interface is not there.
    case noInterface(String)
    /// The configured interface's adapter can't be an access point.
    case incapableInterface(String)
    /// The adapter can't do the security that is asked for.
    case noSecurity(AccessPointConfiguration.Security, radio: String)
    /// WPA3 was asked for besides WPA2, and the adapter can't.
    case noWPA3(radio: String)
    /// The adapter is switched off, by a switch of its own or by software.
    case switchedOff(byHardware: Bool)
    /// The owner has not said where the box is.
    case countryUnset
    /// The kernel has no rules for the country.
    case countryRefused(String)
    /// The configured channel may not be used.
    case channelRefused(Int)
    /// There is no channel that may be used.
    case noChannel(radio: String)
    /// A phone was refused because there are as many as may be.
    case full(Int)
    /// Another program looks for networks by the interface, and phones wait meanwhile.
    case disturbed(String)
    /// The interface can't be kept apart from other networks; why is told by whoever should do it.
    case notPrepared
    /// A step failed, and is tried again.
    case failed(step: String, reason: String)

    /// Whether there is no access point because of it.
    public var isFatal: Bool {
        switch self {
        case .noRadio, .noCapableRadio, .noInterface, .incapableInterface, .noSecurity, .switchedOff, .noChannel,
            .notPrepared, .failed:
            true
        case .noWPA3, .countryUnset, .countryRefused, .channelRefused, .full, .disturbed: false
        }
    }
}

extension AccessPointTrouble: CustomStringConvertible {
    /// What is wrong and what to do, as a sentence without a capital and a full stop.
    public var description: String {
        switch self {
        case .noRadio:
            "no Wi-Fi adapter is found; plug one in, or set wifi to none if the box shall join a network that is there"
        case .noCapableRadio:
            "no Wi-Fi adapter here can be an access point; plug in another one, or set wifi to none"
        case .noInterface(let name): "there is no Wi-Fi interface \(name); correct wifi.interface, or set it to auto"
        case .incapableInterface(let name):
            "the interface \(name) can't be an access point; set wifi.interface to another one, or to auto"
        case .noSecurity(let security, let radio):
            security == .wpa3
                ? "the adapter \(radio) can't do WPA3; set wifi.security to transition or wpa2"
                : "the adapter \(radio) can't encrypt as phones need it (CCMP); use another Wi-Fi adapter"
        case .noWPA3(let radio):
            "the adapter \(radio) can't do WPA3, so the Wi-Fi is WPA2; set wifi.security to wpa2 to accept that"
        case .switchedOff(byHardware: true): "Wi-Fi is switched off by a switch on this machine; switch it on"
        case .switchedOff(byHardware: false): "Wi-Fi is switched off; switch it on with 'rfkill unblock wifi'"
        case .countryUnset:
            "country is not set, so the Wi-Fi uses only what is allowed everywhere (2.4 GHz, channels 1 to 11); set country"
        case .countryRefused(let code):
            "the system has no radio rules for country \(code), so the Wi-Fi uses only what is allowed everywhere; "
                + "correct country, or install wireless-regdb"
        case .channelRefused(let number):
            "an access point may not use channel \(number) here; set wifi.channel to auto or to another one"
        case .noChannel(let radio): "the adapter \(radio) has no channel that an access point may use; correct country"
        case .full(let limit): "the Wi-Fi is full (\(limit) of \(limit) phones); another one can join when one leaves"
        case .disturbed(let interface):
            "another program looks for networks with \(interface), which disturbs phones; stop it, 'kibitz-local doctor' "
                + "may know it"
        case .notPrepared: "there is no Wi-Fi while it can't be kept apart from other networks; it is tried again"
        case .failed(let step, let reason): "the Wi-Fi is off: \(step): \(reason); it is tried again"
        }
    }
}
