import Raster
import Screens

/// A panel as people see it.
struct Sample {
    var name: String
    var format: PictureFormat
}

let sizes: [Sample] = {
    func sample(_ width: Int, _ height: Int, _ depth: PictureFormat.Depth, _ suffix: String) -> Sample {
        Sample(name: "\(width)x\(height)\(suffix)", format: PictureFormat(width: width, height: height, depth: depth))
    }
    var samples: [Sample] = []
    for (width, height) in [(128, 296), (296, 128), (250, 122), (122, 250)] {
        samples.append(sample(width, height, .mono, ""))
        samples.append(sample(width, height, .accent(.red), "-red"))
        samples.append(sample(width, height, .accent(.yellow), "-yellow"))
    }
    samples.append(sample(400, 300, .mono, ""))
    samples.append(sample(300, 400, .mono, ""))
    for (width, height) in [(240, 240), (240, 320), (320, 240), (320, 480), (480, 320)] {
        samples.append(sample(width, height, .rgb565, "-tft"))
    }
    return samples
}()

private let secret = "Zx3kQm9TtB0vL5yWcR7nHA"

/// What people get to see, each with a name.
let screens: [(name: String, screen: Screen)] = {
    let wifi = wifi("Kibitz-k7m3")
    func room(
        _ count: Int, healthy: Int? = nil, wifi: RoomScreen.WiFi?, name: String = "Kibitz",
        link: String = "http://10.77.0.1/#\(secret)", address: String? = "http://10.77.0.1", full: Int? = nil,
        troubles: [Trouble] = []
    ) -> Screen {
        .room(
            RoomScreen(
                name: name, wifi: wifi, link: link, address: address,
                people: .init(count: count, healthy: healthy ?? count), full: full, troubles: troubles))
    }
    return [
        ("starting", .starting(name: "Kibitz")),
        ("room", room(0, wifi: wifi)),
        ("room-five", room(5, wifi: wifi)),
        ("room-links", room(5, healthy: 3, wifi: wifi)),
        ("room-full", room(12, wifi: wifi, full: 12)),
        ("room-trouble", room(2, wifi: wifi, troubles: [.noCountry])),
        ("room-long", room(1, wifi: Samples.long, name: "Schachclub Obermenzing")),
        (
            "room-lan",
            room(
                4, wifi: nil, link: "https://kibitz-k7m3.local:8443/#\(secret)",
                address: "https://kibitz-k7m3.local:8443")
        ),
        ("rotating", .rotating),
        ("updating", .updating),
        ("trouble-network", .trouble(.noNetwork)),
        ("trouble-radio", .trouble(.radioFails)),
        ("failed", .trouble(.failed("Port 443 is taken; stop the program that has it, or set https.port."))),
        ("holding", .holding(shutDownIn: 2)),
        ("holding-on", .holdingOn(resetIn: 5)),
        ("resetting", .resetting),
        ("shutting-down", .shuttingDown),
        ("off", .off),
        ("stopped", .stopped),
    ]
}()

enum Samples {
    /// As long as a name can be, with everything in it that has a meaning in the code.
    static let long = wifi(#"Le Café; "Éloïse", 1er ét.-k7m3"#)
}

func wifi(_ ssid: String) -> RoomScreen.WiFi {
    func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if #"\;,":"#.contains(character) { result += "\\" }
            result.append(character)
        }
    }
    return RoomScreen.WiFi(
        ssid: ssid, passphrase: "bcdfg-23456-vwxyz", code: "WIFI:T:WPA;S:\(escaped(ssid));P:bcdfg-23456-vwxyz;;")
}
