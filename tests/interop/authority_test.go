package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/gravitational/teleport/api/constants"
	"github.com/gravitational/teleport/api/identityfile"
	"golang.org/x/crypto/ssh"
)

// authority is the CA of a cluster that the tests make up, for TLS and SSH alike.
type authority struct {
	key         ed25519.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	done(t, err)
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{Organization: []string{clusterName}, CommonName: clusterName},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(t)
	return &authority{key: key, certificate: must(x509.ParseCertificate(der))(t)}
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	return must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)))(t)
}

// issue signs a certificate for a key, as PEM.
func (a *authority) issue(t testing.TB, public crypto.PublicKey, subject pkix.Name, names ...string) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: subject, DNSNames: names,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key))(t)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// server is how an Auth server of this cluster speaks TLS.
func (a *authority) server(t testing.TB) *tls.Config {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	done(t, err)
	// Teleport's servers answer to the one name that all its clients ask for.
	leaf := a.issue(t, public, pkix.Name{Organization: []string{"Auth"}, CommonName: "auth." + clusterName}, constants.APIDomain)
	pair := must(tls.X509KeyPair(leaf, privatePEM(t, key)))(t)
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}
}

// newKeys are the keys that Teleport's algorithm suites give to bots.
var newKeys = map[string]func(testing.TB) crypto.Signer{
	"rsa": func(t testing.TB) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048))(t) },
	"ecdsa": func(t testing.TB) crypto.Signer {
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	},
	"ed25519": func(t testing.TB) crypto.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		done(t, err)
		return key
	},
}

// identity writes the file that tbot would, with Teleport's own writer.
func (a *authority) identity(t testing.TB, keys string) string {
	t.Helper()
	key := newKeys[keys](t)
	signer := must(ssh.NewSignerFromSigner(a.key))(t)
	certificate := &ssh.Certificate{
		Key: must(ssh.NewPublicKey(key.Public()))(t), CertType: ssh.UserCert, KeyId: botName,
		ValidPrincipals: []string{botName},
		ValidAfter:      uint64(time.Now().Add(-time.Minute).Unix()),
		ValidBefore:     uint64(time.Now().Add(time.Hour).Unix()),
	}
	done(t, certificate.SignCert(rand.Reader, signer))
	path := filepath.Join(t.TempDir(), "identity")
	hosts := fmt.Sprintf("@cert-authority *.%s %s", clusterName, ssh.MarshalAuthorizedKey(signer.PublicKey()))
	done(t, identityfile.Write(&identityfile.IdentityFile{
		PrivateKey: privatePEM(t, key),
		Certs: identityfile.Certs{
			SSH: ssh.MarshalAuthorizedKey(certificate),
			TLS: a.issue(t, key.Public(), pkix.Name{CommonName: botName, Organization: []string{"tribunal"}}),
		},
		CACerts: identityfile.CACerts{
			SSH: [][]byte{[]byte(hosts)},
			TLS: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})},
		},
	}, path))
	return path
}

func privatePEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	if key, ok := key.(*rsa.PrivateKey); ok {
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))(t)})
}
