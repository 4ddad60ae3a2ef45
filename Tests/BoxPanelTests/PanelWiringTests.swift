import BoxPanel
import Glibc
import PanelDrivers
import Testing

@Suite struct PanelWiringTests {
    /// The overlays are files beside the sources: this test's own file says where.
    private func text(of overlay: String) -> String? { text(file: "\(overlay).dts") }

    private func text(file: String) -> String? {
        let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(checkout)/overlays/\(file)", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    @Test(
        "Every panel has an overlay, and that names each line without which it can't be driven",
        arguments: PanelModel.all.map(\.name))
    func overlays(model: String) throws {
        let overlays = PanelWiring.overlays(of: model)
        #expect(!overlays.isEmpty)
        #expect(PanelWiring.lines(of: model).contains(.dataCommand))
        #expect(PanelWiring.lines(of: model).contains(.busy) == (PanelModel.named(model)?.busy != nil))
        for overlay in overlays {
            let source = try #require(text(of: overlay), "there is no overlays/\(overlay).dts")
            for line in PanelWiring.lines(of: model) + [.button] {
                #expect(source.contains("\"\(line.rawValue)\""), "\(overlay) has no \(line.rawValue)")
            }
        }
    }

    @Test("The wiring's page has every panel by its name in the configuration")
    func page() throws {
        let page = try #require(text(file: "README.md"))
        for model in PanelModel.all {
            #expect(page.contains("`\(model.name)`") || page.contains("panel: \(model.name)`"), "\(model.name)")
        }
    }

    @Test("The button alone has one too")
    func button() throws {
        #expect(try #require(text(of: PanelWiring.buttonAlone)).contains("\"KIBITZ_BUTTON\""))
    }

    private func boot(_ text: String) -> BootConfiguration { BootConfiguration(text, folder: "/boot/firmware") }

    @Test("config.txt: overlays with parameters, remarks, spaces, and what holds for no machine")
    func reading() {
        let text = """
            # dtoverlay=kibitz-eink-bonnet
            dtparam=audio=on,i2c=on
              dtoverlay = vc4-kms-v3d,noaudio
            dtoverlay=kibitz-tft:button_pull=off
            dtoverlay=
            nonsense
            [none]
            dtparam=spi=on
            dtoverlay=kibitz-epaper
            [pi4]
            dtoverlay=disable-bt\r
            """
        #expect(boot(text).overlays == ["vc4-kms-v3d", "kibitz-tft", "disable-bt"])
        #expect(!boot(text).hasSPI)
    }

    @Test(
        "config.txt: the bus is on or off by the last word about it",
        arguments: [
            ("dtparam=spi=on", true), ("dtparam=spi", true), ("dtparam=i2c=on,spi=on", true),
            ("dtparam=spi=off", false),
            ("dtparam=spi=on\ndtparam=spi=off", false), ("#dtparam=spi=on", false), ("", false),
        ])
    func bus(text: String, isOn: Bool) {
        #expect(boot(text).hasSPI == isOn)
    }

    @Test("What is missing in config.txt is said as the line that has to be there")
    func mends() {
        let there: (String) -> Bool = { $0 == "/boot/firmware/overlays/kibitz-tft.dtbo" }
        #expect(
            boot("").mend(["kibitz-tft"], isOverlayThere: there)
                == "add the line dtoverlay=kibitz-tft to /boot/firmware/config.txt, and restart the machine")
        #expect(
            boot("").mend(PanelWiring.overlays(of: "ssd1675b-250x122"), isOverlayThere: there)
                == "add the line dtoverlay=kibitz-epaper (or, for another board with it, dtoverlay=kibitz-eink-bonnet) "
                + "to /boot/firmware/config.txt, and restart the machine")
        #expect(
            boot("dtoverlay=kibitz-eink-bonnet").mend(["kibitz-tft"], isOverlayThere: there)
                == "change dtoverlay=kibitz-eink-bonnet in /boot/firmware/config.txt to dtoverlay=kibitz-tft, "
                + "and restart the machine")
        #expect(
            boot("dtoverlay=kibitz-tft").mend(["kibitz-tft"], isOverlayThere: there)
                == "/boot/firmware/config.txt has dtoverlay=kibitz-tft: restart the machine")
        #expect(
            boot("dtoverlay=kibitz-tft").mend(["kibitz-tft"], isOverlayThere: { _ in false })
                == "/boot/firmware/config.txt has dtoverlay=kibitz-tft, but /boot/firmware/overlays/kibitz-tft.dtbo "
                + "is missing: compile it ('scripts/image overlays')")
    }

    @Test("So it is for the bus")
    func busMends() {
        #expect(
            boot("").mend(bus: "/dev/spidev0.0")
                == "add the line dtparam=spi=on to /boot/firmware/config.txt, and restart the machine")
        #expect(
            boot("").mend(bus: "/dev/spidev1.0")
                == "add the line dtoverlay=spi1-1cs to /boot/firmware/config.txt, and restart the machine")
        #expect(boot("dtparam=spi=on").mend(bus: "/dev/spidev0.0").contains("modprobe spidev"))
        // A path of another kind is nobody's reason to trap.
        #expect(boot("").mend(bus: "/dev/x").contains("dtparam=spi=on"))
        #expect(boot("").mend(bus: "").contains("dtparam=spi=on"))
    }
}
