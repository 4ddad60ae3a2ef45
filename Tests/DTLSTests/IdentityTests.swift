import DTLS
import Testing
