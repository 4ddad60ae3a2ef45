import Raster
import Screens

/// Every panel there is a driver for, also turned.
let formats: [PictureFormat] = {
    var formats: [PictureFormat] = []
    for (width, height) in [(128, 296), (250, 122)] {
        for depth in [PictureFormat.Depth.mono, .accent(.yellow)] {
            let format = PictureFormat(width: width, height: height, depth: depth)
            formats += [format, format.turned(.quarter)]
        }
    }
    for (width, height, depth) in [
        (400, 300, PictureFormat.Depth.mono), (240, 240, .rgb565), (240, 320, .rgb565), (320, 480, .rgb565),
    ] {
        let format = PictureFormat(width: width, height: height, depth: depth)
        formats += width == height ? [format] : [format, format.turned(.quarter)]
    }
    return formats
}()

let secret = "Zx3kQm9TtB0vL5yWcR7nHA"
let passphrase = "bcdfg-23456-vwxyz"

func room(
    _ count: Int = 5, healthy: Int? = nil, ssid: String? = "Kibitz-k7m3", name: String = "Kibitz", full: Int? = nil,
    link: String = "http://10.77.0.1/#\(secret)", address: String? = "http://10.77.0.1", troubles: [Trouble] = []
) -> Screen {
    .room(
        RoomScreen(
            name: name,
            wifi: ssid.map {
                .init(ssid: $0, passphrase: passphrase, code: "WIFI:T:WPA;S:\($0);P:\(passphrase);;")
            },
            link: link, address: address, people: .init(count: count, healthy: healthy ?? count), full: full,
            troubles: troubles))
}

let troubles: [Trouble] = [
    .noNetwork, .noRadio, .radioSwitchedOff, .radioFails, .noCountry, .wifiNetworkFails, .certificate, .clock, .storage,
    .failed("port 443 is in use by another program; stop it, or set web.https-port"), .shutdownFails, .resetFails,
]

/// Every screen, with names as long as they usually are.
let screens: [Screen] =
    [
        .starting(name: "Kibitz"), .starting(name: "Schachclub Obermenzing"), room(0), room(1), room(2, healthy: 1),
        room(12, full: 12), room(32, healthy: 20), room(5, ssid: "Schachclub Süd-k7m3", name: "Schachclub Süd"),
        room(
            4, ssid: nil, link: "https://kibitz-k7m3.local:8443/#\(secret)", address: "https://kibitz-k7m3.local:8443"),
        room(4, ssid: nil, address: nil), .rotating, .updating, .holding(shutDownIn: 3), .holding(shutDownIn: 1),
        .holdingOn(resetIn: 7), .holdingOn(resetIn: 1), .resetting, .shuttingDown, .off, .stopped,
    ] + troubles.map { .trouble($0) } + troubles.map { room(3, troubles: [$0, .clock]) }
